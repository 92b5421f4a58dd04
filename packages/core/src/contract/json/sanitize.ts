import { maxDepth } from './canonical-json.ts';
import { isPlainObject } from './plain-object.ts';
import { cycleRefusal, Refusal } from './refusal.ts';
import { sanitizeText } from './text.ts';

type Path = readonly (string | number)[];
/** The copy of each object met so far; undefined while it is being made. */
type Copies = Map<object, object | undefined>;

/**
 * A copy in which texts and keys are sanitised and numbers that JSON cannot carry exactly are null. What it cannot mend stays as it is,
 * for the writer to refuse. Throws `Refusal` where two keys become one, and on a cycle.
 */
export function sanitizeValue(value: unknown, path: Path): unknown {
  return copyOf(value, path, new Map());
}

function copyOf(value: unknown, path: Path, copies: Copies): unknown {
  if (typeof value === 'string') return sanitizeText(value);
  if (typeof value === 'number')
    return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)) ? value : null;
  if (typeof value !== 'object' || value === null || path.length > maxDepth) return value;
  if (copies.has(value)) return copies.get(value) ?? refuseCycle(path);
  copies.set(value, undefined);
  const copy = Array.isArray(value)
    ? copyArray(value, path, copies)
    : isPlainObject(value)
      ? copyObject(value, path, copies)
      : value;
  copies.set(value, copy);
  return copy;
}

function refuseCycle(path: Path): never {
  throw cycleRefusal(path);
}

/** `map` keeps holes, which the writer is to refuse. */
function copyArray(value: readonly unknown[], path: Path, copies: Copies): unknown[] {
  return value.map((element, index) => copyOf(element, [...path, index], copies));
}

function copyObject(value: object, path: Path, copies: Copies): object {
  // Without a prototype, so that a key named __proto__ is data.
  const copy = Object.create(null) as Record<string, unknown>;
  for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
    if (descriptor.enumerable !== true) continue;
    const clean = sanitizeText(key);
    if (Object.hasOwn(copy, clean)) {
      throw new Refusal({
        path: [...path, clean],
        problem: 'stands for two keys that sanitize makes equal',
        remedy: 'rename one of them',
      });
    }
    if ('value' in descriptor) copy[clean] = copyOf(descriptor.value, [...path, clean], copies);
    else Object.defineProperty(copy, clean, descriptor);
  }
  return copy;
}
