import type { SpecSchema } from '@kollect/core';
import { celField, celText } from '../crds/cel.ts';
import type { SchemaNode } from '../crds/structural-schema.ts';

/** From a value to those in it: a field by its name, the elements of a list, the values or the keys of a map. */
type Step = { readonly field: string } | 'elements' | 'values' | 'keys';

/** Texts of a spec that stand in one place of its schema. */
export interface SinkField {
  /** For messages, without the places in a list and the keys of a map: `spec.kafka.brokers`. */
  readonly path: string;
  readonly steps: readonly Step[];
  /** `words`: texts that the schema spells out, or gives a form that holds no secret. */
  readonly holds: 'text' | 'server-address' | 'keys' | 'words';
}

/** Every place of the schema where a user writes text, beginning below `spec`. */
export function sinkFields(schema: SpecSchema, name: string): readonly SinkField[] {
  return fieldsBelow({ ...schema }, { path: `spec.${name}`, steps: [{ field: name }] });
}

type Place = Pick<SinkField, 'path' | 'steps'>;

function fieldsBelow(node: SchemaNode, { path, steps }: Place): readonly SinkField[] {
  const { type, items, properties, additionalProperties, format } = node;
  if (type === 'array') return fieldsBelow(items as SchemaNode, { path, steps: [...steps, 'elements'] });
  if (type === 'object' && properties !== undefined) {
    return Object.entries(properties as Readonly<Record<string, SchemaNode>>).flatMap(([field, child]) =>
      fieldsBelow(child, { path: `${path}.${field}`, steps: [...steps, { field }] }),
    );
  }
  if (type === 'object') {
    const values = fieldsBelow(additionalProperties as SchemaNode, { path, steps: [...steps, 'values'] });
    return [{ path, steps: [...steps, 'keys'], holds: 'keys' }, ...values];
  }
  // A field that is a text or a number is too short for either rule, and CEL would have to ask which it is.
  if (type !== 'string') return [];
  if (format === 'server-address') return [{ path, steps, holds: format }];
  return [{ path, steps, holds: 'enum' in node || format === 'duration' ? 'words' : 'text' }];
}

/** The texts of a field; none where a value is of another kind than the schema says. */
export function textsOf(spec: unknown, { steps }: Pick<SinkField, 'steps'>): readonly string[] {
  return steps
    .reduce<readonly unknown[]>((values, step) => values.flatMap((value) => valuesAt(value, step)), [spec])
    .filter((value) => typeof value === 'string');
}

function valuesAt(value: unknown, step: Step): readonly unknown[] {
  if (step === 'elements') return Array.isArray(value) ? (value as readonly unknown[]) : [];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  if (step === 'values') return Object.values(value);
  if (step === 'keys') return Object.keys(value);
  return Object.hasOwn(value, step.field) ? [(value as Readonly<Record<string, unknown>>)[step.field]] : [];
}

/** In CEL: whether the predicate is true of one of the field's texts. */
export function celAny({ steps }: Pick<SinkField, 'steps'>, predicate: (text: string) => string): string {
  return anyBelow('object.spec', steps, predicate);
}

function anyBelow(value: string, [step, ...rest]: readonly Step[], predicate: (text: string) => string): string {
  if (step === undefined) return predicate(value);
  // One variable for each depth: none hides another.
  const one = `v${String(rest.length)}`;
  if (step === 'elements') return `${value}.exists(${one}, ${anyBelow(one, rest, predicate)})`;
  if (step === 'keys') return `${value}.exists(${one}, ${predicate(one)})`;
  if (step === 'values') return `${value}.exists(${one}, ${anyBelow(`${value}[${one}]`, rest, predicate)})`;
  const { field } = step;
  const isByText = value.startsWith('dyn(');
  if (isPlain(field) && !isByText) return `has(${value}.${field}) && ${anyBelow(`${value}.${field}`, rest, predicate)}`;
  const [name, map] = [celText(field), isByText ? value : `dyn(${value})`];
  return `${name} in ${map} && ${anyBelow(`${map}[${name}]`, rest, predicate)}`;
}

/** A policy gets objects as they are, where a rule of a CRD gets escaped names: what would be escaped is asked for by its text. */
function isPlain(field: string): boolean {
  return /^[A-Za-z]\w*$/u.test(field) && celField(field) === field;
}
