import { isDate, isProxy } from 'node:util/types';
import { maxDepth } from '../contract/json/canonical-json.ts';
import { isPlainObject } from '../contract/json/plain-object.ts';

/**
 * The value with what typed Kubernetes clients put into it as JSON: a Date as RFC 3339, as the API server writes it, and an instance of a class as
 * an object of its own enumerable properties. No toJSON is asked. What has no such form, such as a Map, stays for sealing to refuse with its
 * path. Where there is nothing to turn it is the value itself.
 */
export function plainJson(value: unknown): unknown {
  return isJson(value, 0, { nodes: maxNodes }) ? value : convert(value, { depth: 0, known: new Map() });
}

/** Containers that are looked at before all are looked at with care: a cycle has no end. */
const maxNodes = 10_000;

/** True where nothing is to be turned, which is so for whatever was parsed from JSON. */
function isJson(value: unknown, depth: number, left: { nodes: number }): boolean {
  if (typeof value !== 'object' || value === null) return true;
  left.nodes -= 1;
  if (left.nodes < 0 || depth > maxDepth || isProxy(value)) return false;
  if (Array.isArray(value)) return value.every((element) => isJson(element, depth + 1, left));
  if (!isPlainObject(value)) return false;
  for (const key of Object.keys(value)) {
    const field = Object.getOwnPropertyDescriptor(value, key);
    if (field?.get !== undefined || field?.set !== undefined || !isJson(field?.value, depth + 1, left)) return false;
  }
  return true;
}

interface Place {
  readonly depth: number;
  /** What each object became; itself while that is being found out, so that a cycle stays one and is refused as such. */
  readonly known: Map<object, unknown>;
}

function convert(value: unknown, { depth, known }: Place): unknown {
  // What is deeper is refused when the snapshot is sealed.
  if (typeof value !== 'object' || value === null || depth > maxDepth || isProxy(value)) return value;
  if (known.has(value)) return known.get(value);
  known.set(value, value);
  const converted = convertObject(value, { depth: depth + 1, known });
  known.set(value, converted);
  return converted;
}

function convertObject(value: object, inside: Place): unknown {
  if (Array.isArray(value)) return convertList(value, inside);
  if (isDate(value)) return formatDate(value);
  const isPlain = isPlainObject(value);
  return isPlain || isRecord(value) ? convertFields(value, inside, isPlain) : value;
}

/** `2026-01-31T12:00:00Z`: no fraction where the time has none. An invalid Date stays, to be refused. */
function formatDate(date: Date): unknown {
  const time = Date.prototype.getTime.call(date);
  return Number.isNaN(time) ? date : new Date(time).toISOString().replace('.000Z', 'Z');
}

/** An instance whose own properties are all that it is: no collection, no bytes, no promise. */
function isRecord(value: object): boolean {
  const isObject = Object.prototype.toString.call(value) === '[object Object]';
  return isObject && !(Symbol.iterator in value) && !('then' in value);
}

function convertList(list: readonly unknown[], inside: Place): readonly unknown[] {
  const converted = list.map((element) => convert(element, inside));
  return converted.every((element, index) => element === list[index]) ? list : converted;
}

function convertFields(value: object, inside: Place, isPlain: boolean): object {
  const fields = Object.entries(Object.getOwnPropertyDescriptors(value)).filter(([, { enumerable }]) => enumerable);
  const converted = fields.map(([key, field]) => [key, convertField(field, inside)] as const);
  if (isPlain && converted.every(([, field], index) => field === fields[index]?.[1])) return value;
  return Object.defineProperties({}, Object.fromEntries(converted));
}

/** A getter is not called: sealing refuses it. */
function convertField(field: PropertyDescriptor, inside: Place): PropertyDescriptor {
  if (field.get !== undefined || field.set !== undefined) return field;
  const value = convert(field.value, inside);
  return value === field.value ? field : { ...field, value };
}
