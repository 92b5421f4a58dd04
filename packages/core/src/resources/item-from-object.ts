import { SinkError } from '../contract/errors.ts';
import { formatGvk } from '../contract/gvk.ts';
import type { Item } from '../contract/snapshot.ts';
import { parseFieldPath, readFieldPath } from './field-path.ts';
import { showText } from '../contract/show-value.ts';

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

/** A Kubernetes object, as the API server returns it, as an item. `metadata.managedFields` never gets into it. Throws SNAPSHOT_INVALID. */
export function itemFromObject<T extends KubernetesObject>(object: T, options: ItemFromObjectOptions<T>): Item {
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
    attributes: extract(object, options.attributes, () => describe(identity)),
  };
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

function extract<T extends KubernetesObject>(
  object: T,
  source: AttributeSource<T>,
  describeObject: () => string,
): Record<string, unknown> {
  const clean = withoutManagedFields(object);
  if (typeof source === 'function') {
    const result: unknown = clean.of(source(clean.object));
    if (typeof result !== 'object' || result === null || Array.isArray(result) || 'then' in result) {
      throw invalid(
        `${describeObject()}: the attributes function returned ${article(result)}; expected an object such as { replicas: 3 }.`,
      );
    }
    return Object.fromEntries(Object.entries(result).map(([key, value]) => [key, clean.of(value)] as const));
  }
  const named = Array.isArray(source)
    ? (source as readonly string[]).map((path) => [path, path] as const)
    : Object.entries(source as Record<string, string>);
  // fromEntries defines fields and assigns none, so a key `__proto__` is data.
  return Object.fromEntries(
    named
      .map(([key, path]) => [key, readFieldPath(clean.object, parseFieldPath(path))] as const)
      .filter(([, value]) => value !== undefined),
  );
}

interface Cleaned<T> {
  /** The object itself where it has no managedFields, else a shallow copy. */
  readonly object: T;
  /** The value, or the clean counterpart of it: a function may return what it closed over and not what it was given. */
  readonly of: (value: unknown) => unknown;
}

function withoutManagedFields<T extends KubernetesObject>(object: T): Cleaned<T> {
  const original: object = object.metadata ?? {};
  if (!('managedFields' in original)) return { object, of: (value) => value };
  const { managedFields, ...metadata } = original;
  const clean = { ...object, metadata };
  const counterparts = new Map<unknown, unknown>([
    [object, clean],
    [original, metadata],
    [managedFields, undefined],
  ]);
  return { object: clean, of: (value) => (counterparts.has(value) ? counterparts.get(value) : value) };
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
