import type { AttributeSource } from '@kollect/core';
import type { ApiObject, ObjectMeta } from '../../api/kubernetes-api.ts';

/** Top-level fields of objects that somebody reads, beside their metadata; `all`: nobody can say. */
export type ObjectFields = 'all' | readonly string[];

/** What attributes read; a function may read anything. */
export function fieldsOfAttributes(attributes: AttributeSource): ObjectFields {
  if (typeof attributes === 'function') return 'all';
  const paths = Array.isArray(attributes) ? (attributes as readonly string[]) : Object.values(attributes);
  const fields = paths.map((path) => /^\.?([A-Za-z0-9_-]+)/u.exec(path)?.[1]);
  return fields.includes(undefined) ? 'all' : [...new Set(fields as string[])];
}

export function joinFields(a: ObjectFields, b: ObjectFields): ObjectFields {
  return a === 'all' || b === 'all' ? 'all' : [...new Set([...a, ...b])];
}

export function coversFields(held: ObjectFields, asked: ObjectFields): boolean {
  return held === 'all' || (asked !== 'all' && asked.every((field) => held.includes(field)));
}

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** The object without what nobody reads: ten thousand whole ones are hundreds of megabytes. */
export function projectFields(fields: ObjectFields): (object: ApiObject) => ApiObject {
  return (object) => {
    const metadata = withoutLastApplied(object.metadata);
    if (fields === 'all') return { ...object, metadata };
    const { apiVersion, kind } = object;
    const kept = fields.filter((field) => field !== 'metadata' && Object.hasOwn(object, field));
    return {
      ...(apiVersion === undefined ? {} : { apiVersion }),
      ...(kind === undefined ? {} : { kind }),
      metadata: fields.includes('metadata') ? metadata : identityOf(metadata),
      ...Object.fromEntries(kept.map((field) => [field, object[field]])),
    };
  };
}

function identityOf({ name, namespace, uid, resourceVersion }: ObjectMeta): ObjectMeta {
  const given = { name, namespace, uid, resourceVersion };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as unknown as ObjectMeta;
}

/** A second copy of the whole object, as text. */
function withoutLastApplied(metadata: ObjectMeta): ObjectMeta {
  if (metadata.annotations?.[lastApplied] === undefined) return metadata;
  const { [lastApplied]: _, ...annotations } = metadata.annotations;
  return { ...metadata, annotations };
}
