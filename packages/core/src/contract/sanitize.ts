import { isPlainObject, maxDepth, Refusal } from './canonical-json.ts';
import { sanitizeText } from './text.ts';

/**
 * A copy in which texts and keys are sanitised and numbers that JSON cannot carry exactly are null. What it cannot mend stays as it is,
 * for the writer to refuse. Throws `Refusal` where two keys become one.
 */
export function sanitizeValue(value: unknown, path: readonly (string | number)[]): unknown {
  if (typeof value === 'string') return sanitizeText(value);
  if (typeof value === 'number') return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)) ? value : null;
  if (typeof value !== 'object' || value === null || path.length > maxDepth) return value;
  if (Array.isArray(value)) {
    // Array.from would fill holes, which the writer is to refuse.
    return value.map((element, index) => sanitizeValue(element, [...path, index]));
  }
  return isPlainObject(value) ? sanitizeObject(value, path) : value;
}

function sanitizeObject(value: object, path: readonly (string | number)[]): object {
  // Without a prototype, so that a key named __proto__ is data.
  const copy = Object.create(null) as Record<string, unknown>;
  for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
    if (descriptor.enumerable !== true) continue;
    const clean = sanitizeText(key);
    if (Object.hasOwn(copy, clean)) {
      throw new Refusal({ path: [...path, clean], problem: 'stands for two keys that sanitize makes equal', remedy: 'rename one of them' });
    }
    if ('value' in descriptor) copy[clean] = sanitizeValue(descriptor.value, [...path, clean]);
    else Object.defineProperty(copy, clean, descriptor);
  }
  return copy;
}
