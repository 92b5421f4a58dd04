import { SinkError } from '../contract/errors/errors.ts';
import {
  anObject,
  anyValue,
  aText,
  checkOptions,
  listOf,
  required,
  someText,
} from '../contract/errors/check-options.ts';
import { formatGvk } from '../contract/snapshot/gvk.ts';
import type { Item } from '../contract/snapshot/snapshot.ts';
import { withoutManagedFields } from './managed-fields.ts';
import { plainJson } from './plain-json.ts';
import { parseFieldPath, readFieldPath } from './field-path.ts';
import { showText, showValue } from '../contract/errors/show-value.ts';
import { nameOfThrown } from '../contract/errors/thrown.ts';

/** What is read of every object; the rest is the business of `attributes`. The types of every Kubernetes client fit. */
export interface KubernetesObject {
  readonly apiVersion?: string | undefined;
  readonly kind?: string | undefined;
  readonly metadata?:
    | { readonly name?: string | undefined; readonly namespace?: string | undefined; readonly uid?: string | undefined }
    | undefined;
}

/**
 * What to extract: a function, a list of field paths (`.spec.replicas`, `.spec.containers[*].image`) which become the keys,
 * or a record from key to path. A path that leads nowhere leaves its key out.
 */
export type AttributeSource<T extends KubernetesObject = KubernetesObject> =
  | ((object: T) => Readonly<Record<string, unknown>>)
  | readonly string[]
  | Readonly<Record<string, string>>;

export interface ItemFromObjectOptions<T extends KubernetesObject = KubernetesObject> {
  /** The target resource that selected the object. */
  readonly target: { readonly namespace: string; readonly name: string };
  readonly attributes: AttributeSource<T>;
  /** For an object without `apiVersion`, as an item of a typed list has none: `apps/v1`. */
  readonly apiVersion?: string;
  /** For an object without `kind`: `Deployment`. */
  readonly kind?: string;
}

const itemKinds = {
  target: required(anObject),
  attributes: required(anyValue),
  apiVersion: aText,
  kind: aText,
};
const targetKinds = { namespace: required(aText), name: required(someText) };

/**
 * A Kubernetes object, as the API server or a typed client returns it, as an item: instances of classes become plain objects and Dates RFC 3339.
 * `metadata.managedFields` never gets into it. Throws SNAPSHOT_INVALID.
 */
export function itemFromObject<T extends KubernetesObject>(object: T, options: ItemFromObjectOptions<T>): Item {
  return createItemReader(options)(object);
}

/** What `itemFromObject` does with these options, which are checked once: for many objects of one target. Later changes of the options count for nothing. */
export function createItemReader<T extends KubernetesObject>(options: ItemFromObjectOptions<T>): (object: T) => Item {
  const subject = { of: 'The options of itemFromObject', code: 'SNAPSHOT_INVALID', operation: 'seal' } as const;
  const checked = checkOptions<ItemFromObjectOptions<T>>(options, itemKinds, subject);
  const target = checkOptions(checked.target, targetKinds, { ...subject, of: 'The target given to itemFromObject' });
  checkSource(checked.attributes);
  const reading: Reading<T> = { ...checked, target, extract: extractorOf(checked.attributes) };
  return (object) => {
    try {
      return readItem(object, reading);
    } catch (error) {
      if (SinkError.isInstance(error)) throw error;
      throw invalid(`A Kubernetes object cannot be read, since a getter or a proxy in it throws: give plain data.`);
    }
  };
}

interface Reading<T extends KubernetesObject> extends ItemFromObjectOptions<T> {
  readonly extract: (object: T, describeObject: () => string) => Record<string, unknown>;
}

function readItem<T extends KubernetesObject>(object: T, options: Reading<T>): Item {
  if (typeof object !== 'object' || object === null || Array.isArray(object)) {
    throw invalid(`A Kubernetes object was expected, and ${article(object)} found.`);
  }
  const identity = {
    apiVersion: object.apiVersion ?? options.apiVersion,
    kind: object.kind ?? options.kind,
    namespace: object.metadata?.namespace ?? '',
    name: object.metadata?.name,
    uid: object.metadata?.uid,
  };
  const need = (value: unknown, field: string, remedy: string): string => {
    if (typeof value === 'string' && value !== '') return value;
    const found =
      value === undefined || value === null
        ? 'is missing'
        : value === ''
          ? 'is empty'
          : `is ${article(value)} and not a string`;
    throw invalid(`${describe(identity)}: ${field} ${found}. ${remedy}`);
  };
  const listItem = 'Items of a typed list have none: give it in the options of itemFromObject.';
  const apiVersion = need(identity.apiVersion, 'apiVersion', listItem);
  const kind = need(identity.kind, 'kind', listItem);
  const name = need(identity.name, 'metadata.name', 'Every object of the API server has one.');
  const uid = need(
    identity.uid,
    'metadata.uid',
    'The API server sets it; a manifest file has none, so derive one that stays the same.',
  );
  if (typeof identity.namespace !== 'string')
    throw invalid(`${describe(identity)}: metadata.namespace is ${article(identity.namespace)} and not a string.`);
  const { group, version } = splitApiVersion(apiVersion, describe(identity));
  return {
    targetNamespace: options.target.namespace,
    targetName: options.target.name,
    namespace: identity.namespace,
    name,
    ...(group !== undefined && { group }),
    version,
    kind,
    uid,
    attributes: plainJson(options.extract(object, () => describe(identity))) as Record<string, unknown>,
  };
}

/** Throws SNAPSHOT_INVALID where the source is none of the three that there are. */
function checkSource(source: unknown): void {
  if (typeof source === 'function' || listOf(aText).accepts(source)) return;
  const record = 'an object such as { replicas: ".spec.replicas" }';
  const found = showValue(source, { secret: false });
  if (typeof source !== 'object' || source === null || Array.isArray(source) || Symbol.iterator in source)
    throw invalid(
      `The attributes given to itemFromObject must be a list of field paths such as [".spec.replicas"], ${record}, or a function, found ${found}.`,
    );
  for (const [key, path] of Object.entries(source)) {
    if (aText.accepts(path)) continue;
    const problem = `the key ${showText(key)} holds ${showValue(path, { secret: false })}`;
    throw invalid(`The attributes given to itemFromObject must be ${record}: ${problem} and not a field path.`);
  }
}

function splitApiVersion(apiVersion: string, object: string): { group?: string; version: string } {
  const [first = '', second, ...more] = apiVersion.split('/');
  if (first === '' || second === '' || more.length > 0) {
    throw invalid(
      `${object}: apiVersion is ${showText(apiVersion)}; expected "version" or "group/version", such as "v1" or "apps/v1".`,
    );
  }
  return second === undefined ? { version: first } : { group: first, version: second };
}

function extractorOf<T extends KubernetesObject>(source: AttributeSource<T>): Reading<T>['extract'] {
  if (typeof source === 'function') return (object, describeObject) => callExtractor(source, object, describeObject);
  const named = Array.isArray(source)
    ? (source as readonly string[]).map((path) => [path, path] as const)
    : Object.entries(source as Record<string, string>);
  const paths = named.map(([key, path]) => [key, parseFieldPath(path)] as const);
  return (object) => {
    const clean = withoutManagedFields(object).object;
    const found: Record<string, unknown> = {};
    for (const [key, path] of paths) {
      const value = readFieldPath(clean, path);
      if (value !== undefined) define(found, key, value);
    }
    return found;
  };
}

/** A key `__proto__` is data like any other. */
function define(fields: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') fields[key] = value;
  else Object.defineProperty(fields, key, { value, enumerable: true, configurable: true, writable: true });
}

function callExtractor<T extends KubernetesObject>(
  source: (object: T) => Readonly<Record<string, unknown>>,
  object: T,
  describeObject: () => string,
): Record<string, unknown> {
  const clean = withoutManagedFields(object);
  const counterpart = clean.counterparts();
  const result: unknown = counterpart(callSource(source, clean.object, describeObject));
  if (typeof result !== 'object' || result === null || Array.isArray(result) || 'then' in result) {
    throw invalid(
      `${describeObject()}: the attributes function returned ${article(result)}; expected an object such as { replicas: 3 }.`,
    );
  }
  return Object.fromEntries(Object.entries(result).map(([key, value]) => [key, counterpart(value)] as const));
}

function callSource<T extends KubernetesObject>(
  source: (object: T) => Readonly<Record<string, unknown>>,
  object: T,
  describeObject: () => string,
): unknown {
  try {
    return source(object);
  } catch (error) {
    if (SinkError.isInstance(error)) throw error;
    // The host's own code failed, and it needs the stack; the message may quote the object.
    const problem = `${describeObject()}: the attributes function threw ${nameOfThrown(error)}; see the cause.`;
    throw new SinkError('SNAPSHOT_INVALID', problem, { operation: 'seal', cause: error });
  }
}

function describe({
  apiVersion,
  kind,
  namespace,
  name,
}: Record<'apiVersion' | 'kind' | 'namespace' | 'name', unknown>): string {
  const [version = '?', group] = (typeof apiVersion === 'string' ? apiVersion : '?').split('/').reverse();
  const gvk = formatGvk({
    ...(group !== undefined && { group }),
    version,
    kind: typeof kind === 'string' ? kind : '?',
  });
  const named = typeof name === 'string' && name !== '' ? name : '?';
  return `Object ${gvk} ${typeof namespace === 'string' && namespace !== '' ? `${namespace}/${named}` : named}`;
}

function article(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'then' in value ? 'a promise' : 'an object';
  return `a ${typeof value}`;
}

const invalid = (message: string): SinkError => new SinkError('SNAPSHOT_INVALID', message, { operation: 'seal' });
