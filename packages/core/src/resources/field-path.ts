import { SinkError } from '../contract/errors.ts';

/** One step from a value to what it holds. */
export type FieldPathStep = { readonly kind: 'name'; readonly name: string } | { readonly kind: 'index'; readonly index: number } | { readonly kind: 'each' };

/** A path such as `.spec.containers[*].image`, parsed. */
export interface FieldPath {
  readonly text: string;
  readonly steps: readonly FieldPathStep[];
}

const plainName = /(?:\\.|[^\s.[\]{}()"'\\*?$@,])+/uy;
const bracket = /\[(?:(?<each>\*)|(?<index>\d+)|(?<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))\]/uy;

/**
 * Parses `.a.b`, `a["b.c/d"]`, `a.b\.c`, `list[0]`, `list[*]` and `map.*`; the leading dot is optional.
 * Throws SNAPSHOT_INVALID with a caret under the first character that is wrong.
 */
export function parseFieldPath(text: string): FieldPath {
  const steps: FieldPathStep[] = [];
  let position = 0;
  while (position < text.length || steps.length === 0) {
    const step = stepAt(text, position);
    steps.push(step.step);
    position = step.end;
  }
  return { text, steps };
}

function stepAt(text: string, position: number): { step: FieldPathStep; end: number } {
  if (text[position] === '[') return bracketAt(text, position);
  const start = text[position] === '.' ? position + 1 : position;
  if (start === position && position > 0) throw badPath(text, position, 'expected "." or "["');
  if (text[start] === '*') return { step: { kind: 'each' }, end: start + 1 };
  if (text[start] === '{' || text[start] === '$') throw badPath(text, start, 'leave out "{", "}" and "$"; write .spec.replicas');
  plainName.lastIndex = start;
  const name = plainName.exec(text)?.[0];
  if (name === undefined) throw badPath(text, start, 'expected a field name');
  return { step: { kind: 'name', name: unescape(name) }, end: start + name.length };
}

function bracketAt(text: string, position: number): { step: FieldPathStep; end: number } {
  bracket.lastIndex = position;
  const match = bracket.exec(text);
  if (match === null) {
    const filter = text[position + 1] === '?' ? '; for a filter, give attributes as a function' : '';
    throw badPath(text, position + 1, `expected [*], [0] or ["a name"]${filter}`);
  }
  const { index, quoted } = match.groups ?? {};
  const end = position + match[0].length;
  if (quoted !== undefined) return { step: { kind: 'name', name: unescape(quoted.slice(1, -1)) }, end };
  return { step: index === undefined ? { kind: 'each' } : { kind: 'index', index: Number(index) }, end };
}

const unescape = (name: string): string => name.replaceAll(/\\(.)/gu, '$1');

function badPath(text: string, position: number, expected: string): SinkError {
  const caret = `  ${text}\n  ${' '.repeat(position)}^`;
  return new SinkError('SNAPSHOT_INVALID', `Field path cannot be read at character ${position + 1}: ${expected}.\n${caret}`, { operation: 'seal' });
}

/** What the path finds; `undefined` where it leads nowhere. A path with `*` finds an array, without the elements that lack the rest. */
export function readFieldPath(root: unknown, { steps }: FieldPath): unknown {
  let found: unknown[] = [root];
  let many = false;
  for (const step of steps) {
    if (step.kind === 'each' && !many) {
      if (!isContainer(found[0])) return undefined;
      many = true;
    }
    found = found.flatMap((value) => take(value, step)).filter((value) => value !== undefined);
    if (found.length === 0) break;
  }
  return many ? found : found[0];
}

// Wrapped in an array, because flatMap would flatten a field that holds one. Own fields only: a path must not reach a prototype.
function take(value: unknown, step: FieldPathStep): readonly unknown[] {
  if (!isContainer(value)) return [];
  if (step.kind === 'each') return Object.values(value);
  if (step.kind === 'index') return Array.isArray(value) ? [value[step.index] as unknown] : [];
  return !Array.isArray(value) && Object.hasOwn(value, step.name) ? [(value as Record<string, unknown>)[step.name]] : [];
}

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null;
