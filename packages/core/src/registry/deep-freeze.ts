/** Freezes plain objects and arrays to the last level, in place; instances of classes are left as they are. */
export function deepFreeze<T>(value: T): T {
  freeze(value, new Set());
  return value;
}

function freeze(value: unknown, seen: Set<object>): void {
  if (typeof value !== 'object' || value === null || seen.has(value) || !isPlain(value)) return;
  seen.add(value);
  for (const member of Object.values(value)) freeze(member, seen);
  Object.freeze(value);
}

function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  // The Object.prototype of any realm: a clone may come from another one.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
