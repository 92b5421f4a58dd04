import { isDate, isMap, isPromise, isSet, isTypedArray } from 'node:util/types';

/** True for an object literal, of this realm or another, and for one without a prototype. */
export function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  return (
    typeof prototype === 'object' &&
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, 'isPrototypeOf')
  );
}

/** What to give in the place of an object that is not plain, for what Kubernetes clients and JavaScript hold most. */
export function remedyFor(value: object): string {
  if (isDate(value)) return 'give date.toISOString(), or make the item with itemFromObject';
  if (isMap(value)) return 'give Object.fromEntries(map)';
  if (isSet(value)) return 'give [...set]';
  if (isPromise(value)) return 'await it first';
  if (isTypedArray(value)) return 'give a string, such as base64';
  return 'give a string or an object made of plain values, or make the item with itemFromObject';
}

/** `an instance of Map`, to follow "is". */
export function describeInstance(value: object): string {
  const { constructor } = Object.getPrototypeOf(value) as { constructor?: unknown };
  const name = typeof constructor === 'function' ? constructor.name : '';
  return name !== 'Object' && /^[\w$]{1,60}$/.test(name)
    ? `an instance of ${name}`
    : 'an object with a prototype of its own';
}
