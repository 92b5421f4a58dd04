import { maxDepth } from './canonical-json.ts';
import { formatPath } from './refusal.ts';

/** Where a value is no plain data, and why. */
export class NotData extends Error {
  override readonly name = 'NotData';

  /** The message goes on where `path` was named: `$.kafka.headers is a Map`. */
  constructor(path: readonly (string | number)[], problem: string) {
    super(`${formatPath(path)} ${problem}`);
  }
}

/**
 * A copy of what a host gave as data, each property read once: objects (of a class, too, by their own enumerable properties), arrays, texts,
 * numbers, booleans, null; what is undefined is left out. Throws `NotData` for anything else, for cycles and for getters that throw.
 */
export function copyData(value: unknown, path: readonly (string | number)[]): unknown {
  return copy(value, path, new Set());
}

function copy(value: unknown, path: readonly (string | number)[], above: Set<object>): unknown {
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint')
      throw new NotData(path, `is a ${typeof value}, which is not data: remove it`);
    return value;
  }
  if (above.has(value)) throw new NotData(path, 'leads back to an object that holds it: break the cycle');
  if (above.size >= maxDepth)
    throw new NotData(path.slice(0, 8), `holds more than ${maxDepth} objects in each other: flatten it`);
  above.add(value);
  const { entries, isList } = readEntries(value, path);
  const copies = entries.map(
    ([key, member]) => [key, copy(member, [...path, isList ? Number(key) : key], above)] as const,
  );
  above.delete(value);
  // fromEntries defines fields and assigns none, so a key `__proto__` is data.
  return isList
    ? copies.map(([, member]) => member)
    : Object.fromEntries(copies.filter(([, member]) => member !== undefined));
}

interface Entries {
  readonly entries: readonly (readonly [string, unknown])[];
  readonly isList: boolean;
}

function readEntries(value: object, path: readonly (string | number)[]): Entries {
  let kind: string;
  try {
    if (Array.isArray(value))
      return { entries: Array.from(value, (member: unknown, index) => [String(index), member] as const), isList: true };
    kind = Object.prototype.toString.call(value).slice(8, -1);
    if (kind === 'Object' && !(Symbol.iterator in value)) return { entries: Object.entries(value), isList: false };
  } catch {
    throw new NotData(path, 'cannot be read, since a getter or a proxy of it throws: give plain data');
  }
  const named = /^\w{1,40}$/u.test(kind) ? `an instance of ${kind}` : 'an object of another kind';
  throw new NotData(path, `is ${named}, which is not data: give a plain object, a list or a text`);
}
