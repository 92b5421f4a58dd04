import { SinkError, type SinkErrorCode, type SinkOperation } from './errors.ts';
import { suggestion } from './nearest-name.ts';
import { unprintablePart } from './printable.ts';
import { looksSecret } from './secrets.ts';
import { showText, showValue } from './show-value.ts';

/** What an option may be. */
export interface OptionKind {
  /** In words, for the message: `a string`. */
  readonly expected: string;
  readonly accepts: (value: unknown) => boolean;
  readonly required?: boolean;
}

const kind = (expected: string, accepts: OptionKind['accepts']): OptionKind => Object.freeze({ expected, accepts });
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

export const aBoolean = kind('true or false', (value) => typeof value === 'boolean');
export const aFunction = kind('a function', (value) => typeof value === 'function');
export const anObject = kind('an object', (value) => isObject(value) && !Array.isArray(value));
export const aSignal = kind(
  'an AbortSignal',
  (value) => isObject(value) && 'aborted' in value && 'addEventListener' in value,
);
/** Text without control characters. */
export const aText = kind(
  'printable text',
  (value) => typeof value === 'string' && unprintablePart(value) === undefined,
);
export const someText = kind('text that is not empty', (value) => value !== '' && aText.accepts(value));
export const anyValue = kind('a value', () => true);
export const aCount = kind('a whole number, 0 or more', (value) => Number.isSafeInteger(value) && Number(value) >= 0);
export const aPositiveNumber = kind(
  'a number above 0',
  (value) => typeof value === 'number' && Number.isFinite(value) && value > 0,
);

export function listOf({ expected, accepts }: OptionKind): OptionKind {
  return kind(
    `a list, each of its elements ${expected}`,
    (value) => Array.isArray(value) && value.every((each) => accepts(each)),
  );
}

/** An object that has these functions, of its class or its own. */
export function objectWith(...functions: readonly string[]): OptionKind {
  return kind(`an object with the functions ${functions.join(', ')}`, (value) =>
    functions.every((name) => isObject(value) && typeof (value as Record<string, unknown>)[name] === 'function'),
  );
}

/** One of these words. */
export function oneOf(...words: readonly string[]): OptionKind {
  const named = words.map((word) => JSON.stringify(word)).join(' or ');
  return kind(named, (value) => typeof value === 'string' && words.includes(value));
}

/** One of several kinds. */
export function either(...kinds: readonly OptionKind[]): OptionKind {
  return kind(kinds.map(({ expected }) => expected).join(' or '), (value) =>
    kinds.some(({ accepts }) => accepts(value)),
  );
}

/** Not to be left out. */
export function required(option: OptionKind): OptionKind {
  return Object.freeze({ ...option, required: true });
}

/** Every option there is, with its kind; the compiler keeps it complete. */
export type OptionKinds<Options> = { readonly [Name in keyof Required<Options>]: OptionKind };

export interface OptionSubject {
  /** Begins the message: `The options of sealSnapshot`. */
  readonly of: string;
  /** Default SPEC_INVALID. */
  readonly code?: SinkErrorCode;
  readonly operation?: SinkOperation;
}

/**
 * A copy of the options, each read once; those that are undefined are left out. Throws where they are no object, where a name is not known
 * (giving the nearest that is), and where a value is of another kind or cannot be read.
 */
export function checkOptions<Options extends object>(
  given: Options | undefined,
  kinds: OptionKinds<Options>,
  { of, code = 'SPEC_INVALID', operation = 'create' }: OptionSubject,
): Options {
  const refuse = (problem: string): never => {
    throw new SinkError(code, `${of}${problem}.`, { operation });
  };
  const known = byName(kinds);
  const read = readFields(given === undefined ? {} : given, known);
  if (typeof read === 'string') return refuse(read);
  for (const [name, { expected, accepts, required: isRequired }] of known) {
    const value = read.get(name);
    if (value === undefined ? isRequired !== true : acceptsQuietly(accepts, value)) continue;
    const found = showValue(value, { secret: looksSecret(name) });
    refuse(
      value === undefined
        ? `: ${name} is missing; expected ${expected}`
        : `: ${name} must be ${expected}, found ${found}`,
    );
  }
  return Object.fromEntries(read) as Options;
}

const named = new WeakMap<object, ReadonlyMap<string, OptionKind>>();

/** Found out once for each function that has options: some are called for every export. */
function byName(kinds: Readonly<Record<string, OptionKind>>): ReadonlyMap<string, OptionKind> {
  let known = named.get(kinds);
  if (known === undefined) named.set(kinds, (known = new Map(Object.entries(kinds))));
  return known;
}

/** The known fields that are there, or what stands in the way. */
function readFields(given: unknown, known: ReadonlyMap<string, OptionKind>): Map<string, unknown> | string {
  const fields = new Map<string, unknown>();
  let reading = '';
  try {
    if (!isObject(given) || Array.isArray(given) || Symbol.iterator in given)
      return ` must be an object with ${namesOf(known)}, found ${describe(given)}`;
    const unknown = Object.keys(given).find((key) => !known.has(key));
    if (unknown !== undefined) return `: ${showText(unknown)} is not known; ${suggestion(unknown, [...known.keys()])}`;
    for (const name of known.keys()) {
      reading = name;
      const value = (given as Readonly<Record<string, unknown>>)[name];
      if (value !== undefined) fields.set(name, value);
    }
    return fields;
  } catch {
    return reading === ''
      ? ' cannot be read: give a plain object'
      : `: ${reading} cannot be read: give the value itself`;
  }
}

function describe(given: unknown): string {
  if (isObject(given) && !Array.isArray(given)) return 'a collection such as a Map';
  return showValue(given, { secret: true }).replace(/ that is not shown.*/u, '');
}

function namesOf(known: ReadonlyMap<string, OptionKind>): string {
  return known.size === 0 ? 'no fields' : [...known.keys()].join(', ');
}

function acceptsQuietly(accepts: OptionKind['accepts'], value: unknown): boolean {
  try {
    return accepts(value);
  } catch {
    return false;
  }
}
