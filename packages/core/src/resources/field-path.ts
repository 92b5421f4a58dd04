import { SinkError } from '../contract/errors/errors.ts';
import { showText } from '../contract/errors/show-value.ts';

/** One step from a value to what it holds. */
export type FieldPathStep =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'each' };

/** A path such as `.spec.containers[*].image`, parsed. */
export interface FieldPath {
  readonly text: string;
  readonly steps: readonly FieldPathStep[];
}

const plainName = /(?:\\.|[^\s.[\]{}()"'\\*?$@,])+/uy;
const bracket = /\[(?:(?<each>\*)|(?<index>\d+)|(?<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))\]/uy;

/**
 * Parses `.a.b`, `a["b.c/d"]`, `a.b\.c`, `list[0]`, `list[*]` and `map.*`; the leading dot is optional.
 * Throws SNAPSHOT_INVALID naming the first character that is wrong and what stands before it.
 */
export function parseFieldPath(text: string): FieldPath {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const path = parse(text);
  if (parsed.size === maxParsed) parsed.clear();
  parsed.set(text, path);
  return path;
}

// An operator gives the same few paths for each of its objects, and parsing would cost more than reading. Bounded, for a host that makes paths up.
const parsed = new Map<string, FieldPath>();
const maxParsed = 1000;

function parse(text: string): FieldPath {
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
  if (text[start] === '{' || text[start] === '$')
    throw badPath(text, start, 'leave out "{", "}" and "$"; write .spec.replicas');
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
  const before = position === 0 ? '' : `, after ${showText(text.slice(Math.max(0, position - 40), position))}`;
  return new SinkError(
    'SNAPSHOT_INVALID',
    `Field path ${showText(text)} cannot be read at character ${position + 1}${before}: ${expected}.`,
    { operation: 'seal' },
  );
}

/** What the path finds; `undefined` where it leads nowhere. A path with `*` finds an array, without the elements that lack the rest. */
export function readFieldPath(root: unknown, { steps }: FieldPath): unknown {
  let value = root;
  for (let index = 0; index < steps.length; index++) {
    const step = steps[index] as FieldPathStep;
    if (step.kind === 'each') return isContainer(value) ? readEach(value, steps.slice(index)) : undefined;
    value = field(value, step);
    if (value === undefined) return undefined;
  }
  return value;
}

function readEach(value: object, steps: readonly FieldPathStep[]): readonly unknown[] {
  let found: unknown[] = [value];
  for (const step of steps) {
    const next =
      step.kind === 'each'
        ? found.filter(isContainer).flatMap((each) => Object.values(each) as unknown[])
        : found.map((each) => field(each, step));
    found = next.filter((each) => each !== undefined);
  }
  return found;
}

// Own fields only: a path must not reach a prototype.
function field(value: unknown, step: Exclude<FieldPathStep, { kind: 'each' }>): unknown {
  if (!isContainer(value)) return undefined;
  if (step.kind === 'index') return Array.isArray(value) ? (value[step.index] as unknown) : undefined;
  return !Array.isArray(value) && Object.hasOwn(value, step.name)
    ? (value as Record<string, unknown>)[step.name]
    : undefined;
}

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null;
