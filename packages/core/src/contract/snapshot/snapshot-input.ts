import { types } from 'node:util';
import { anyValue, checkOptions, type OptionKinds } from '../errors/check-options.ts';
import { SinkError, type SinkOperation } from '../errors/errors.ts';
import { describeType } from './item-encoder.ts';
import { parseTime } from './rfc3339.ts';
import type { InventorySnapshot, Scope } from './snapshot.ts';
import { isList, showText } from '../errors/show-value.ts';
import { isPrintable, sanitizeText } from '../json/text.ts';
import { readQuietly } from '../errors/thrown.ts';

/** Everything of a snapshot but its items. */
export type SnapshotHeader = Pick<InventorySnapshot, keyof Scope | 'generation' | 'exportedAt' | 'incompleteTargets'>;

const knownFields = [
  'cluster',
  'inventoryNamespace',
  'inventoryName',
  'generation',
  'exportedAt',
  'items',
  'incompleteTargets',
] as const;
const anyFields = Object.fromEntries(knownFields.map((field) => [field, anyValue])) as OptionKinds<
  Record<(typeof knownFields)[number], unknown>
>;

/** Checks what a snapshot is sealed from, its items aside, and reads every field once; throws SNAPSHOT_INVALID. */
export function checkSnapshotInput(
  input: object,
  { sanitize = false }: { readonly sanitize?: boolean | undefined },
): {
  readonly header: SnapshotHeader;
  readonly items: Iterable<unknown>;
} {
  const of = 'The snapshot input';
  const read = checkOptions<Record<(typeof knownFields)[number], unknown>>(
    input as Record<(typeof knownFields)[number], unknown>,
    anyFields,
    { of, code: 'SNAPSHOT_INVALID', operation: 'seal' },
  );
  const { generation, exportedAt = new Date(), items, incompleteTargets = [], ...scope } = read;
  if (typeof readQuietly(items, Symbol.iterator) !== 'function' || typeof items === 'string')
    refuse('items', describeType(items), 'an iterable of items', 'seal');
  return {
    header: {
      ...checkScope(scope, 'seal'),
      generation: checkCount('generation', generation, 'seal'),
      exportedAt: checkTime(exportedAt, 'seal'),
      incompleteTargets: checkIncompleteTargets(incompleteTargets, sanitize, 'seal'),
    },
    // A host that changes its list while sealing gives way to others would change the snapshot.
    items: isList(items) ? copyList(items) : (items as Iterable<unknown>),
  };
}

/** The elements as they are now. */
function copyList(items: readonly unknown[]): readonly unknown[] {
  try {
    return items.slice();
  } catch {
    return refuse('items', 'an array of which an element cannot be read', 'an array of items', 'seal');
  }
}

/** The scope alone, without an empty cluster. */
export function checkScope(scope: Record<string, unknown>, operation: SinkOperation): Scope {
  const { cluster = '', inventoryNamespace, inventoryName } = scope;
  if (typeof cluster !== 'string') refuse('cluster', describeType(cluster), 'a string', operation);
  if (!isPrintable(cluster))
    refuse('cluster', 'a string that holds control characters or lone surrogates', 'printable text', operation);
  return {
    ...(cluster === '' ? undefined : { cluster }),
    inventoryNamespace: checkName('inventoryNamespace', inventoryNamespace, operation),
    inventoryName: checkName('inventoryName', inventoryName, operation),
  };
}

function checkName(field: string, value: unknown, operation: SinkOperation): string {
  if (typeof value === 'string' && value !== '' && isPrintable(value) && !/[/:]/.test(value)) return value;
  const found = typeof value === 'string' ? 'a string that is empty or holds one of these' : describeType(value);
  return refuse(field, found, 'a non-empty string without "/", ":" and control characters', operation);
}

/** A safe integer, 0 or more. */
export function checkCount(field: string, value: unknown, operation: SinkOperation): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  return refuse(
    field,
    typeof value === 'number' ? `${value}` : describeType(value),
    'a safe integer, 0 or more',
    operation,
  );
}

/** The time in UTC with milliseconds. */
export function checkTime(value: unknown, operation: SinkOperation): string {
  const time = types.isDate(value) ? value.getTime() : typeof value === 'string' ? parseTime(value) : Number.NaN;
  const text = Number.isNaN(time) ? '' : new Date(time).toISOString();
  if (/^\d{4}-/.test(text)) return text;
  const found = types.isDate(value)
    ? 'a Date outside of the years 0 to 9999'
    : typeof value === 'string'
      ? /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?$/.test(value)
        ? 'a time without an offset (Z, or such as +02:00)'
        : `the text ${showText(value)}`
      : describeType(value);
  return refuse('exportedAt', found, 'an RFC 3339 time such as 2026-01-31T12:00:00Z', operation);
}

/** Sorted by UTF-16 code units, each once. */
export function checkIncompleteTargets(value: unknown, sanitize: boolean, operation: SinkOperation): readonly string[] {
  if (!isList(value)) return refuse('incompleteTargets', describeType(value), 'an array of target names', operation);
  const names = Array.from(value, (name: unknown, index) => {
    if (typeof name !== 'string' || name === '') {
      return refuse(
        `incompleteTargets[${index}]`,
        name === '' ? 'an empty string' : describeType(name),
        'a non-empty string',
        operation,
      );
    }
    const clean = sanitizeText(name);
    if (clean === name || sanitize) return clean;
    return refuse(
      `incompleteTargets[${index}]`,
      'a string that holds U+0000 or a lone surrogate',
      'a target name',
      operation,
    );
  });
  return Object.freeze([...new Set(names)].sort());
}

function refuse(field: string, found: string, expected: string, operation: SinkOperation): never {
  const subject = operation === 'seal' ? 'The snapshot input' : 'The document';
  throw new SinkError('SNAPSHOT_INVALID', `${subject}'s ${field} is ${found}; expected ${expected}.`, { operation });
}
