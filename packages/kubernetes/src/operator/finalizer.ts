import type { ApiObject, ResourceType } from '../api/kubernetes-api.ts';
import { fieldManager } from '../status/status-writer.ts';
import type { ObjectApi } from './limited-api.ts';

/** Keeps an inventory until its rows are gone from its sinks. */
export const exportedFinalizer = 'kollect.dev/exported';

export function hasFinalizer({ metadata }: ApiObject): boolean {
  return Array.isArray(metadata.finalizers) && metadata.finalizers.includes(exportedFinalizer);
}

/** Adds it or takes it away; a 409 where the object changed meanwhile. */
export async function setFinalizer(
  api: Pick<ObjectApi, 'patch'>,
  type: ResourceType,
  object: ApiObject,
  { present, signal }: { readonly present: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const { name, namespace, resourceVersion, uid, finalizers = [] } = object.metadata;
  const others = finalizers.filter((each) => each !== exportedFinalizer);
  // A merge patch replaces the list: with its resourceVersion nobody's finalizer is lost.
  const body = {
    metadata: { uid, resourceVersion, finalizers: present ? [...others, exportedFinalizer] : others },
  };
  const of = namespace === undefined ? { name } : { name, namespace };
  await api.patch(type, of, body, { type: 'merge', fieldManager, signal });
}
