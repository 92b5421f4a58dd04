import { callFailed, type ApiCall } from '../api-error.ts';
import type { ListOptions, ObjectName, PatchOptions, ResourceType, WatchOptions } from '../kubernetes-api.ts';

/** `/api/v1`, `/apis/apps/v1`. */
export function groupPath(apiVersion: string, call: ApiCall): string {
  const parts = apiVersion.split('/');
  const path = parts.map((part) => segment(part, call)).join('/');
  return parts.length === 1 ? `/api/${path}` : `/apis/${path}`;
}

/** Of one object, or without a name of all. */
export function resourcePath(type: ResourceType, of: Partial<ObjectName>, call: ApiCall, subresource?: string): string {
  const segments = [
    ...(of.namespace === undefined || !type.namespaced ? [] : ['namespaces', of.namespace]),
    type.plural,
    ...(of.name === undefined ? [] : [of.name]),
    ...(subresource === undefined ? [] : [subresource]),
  ];
  return [groupPath(type.apiVersion, call), ...segments.map((one) => segment(one, call))].join('/');
}

/** Without a name a path would mean all objects; with two dots others. */
function segment(text: string, call: ApiCall): string {
  if (text === '' || text === '.' || text === '..') throw callFailed(call, { status: 400, reason: 'BadRequest' });
  return encodeURIComponent(text);
}

export function listQuery(options: ListOptions): string {
  const { labelSelector, fieldSelector, limit, continue: token, resourceVersion } = options;
  return query({ labelSelector, fieldSelector, limit, continue: token, resourceVersion });
}

export function watchQuery({ labelSelector, fieldSelector, resourceVersion, timeoutSeconds }: WatchOptions): string {
  return query({ watch: 1, allowWatchBookmarks: true, labelSelector, fieldSelector, resourceVersion, timeoutSeconds });
}

export function patchQuery({ type, fieldManager }: PatchOptions): string {
  return query({ fieldManager, ...(type === 'apply' ? { force: true } : {}) });
}

function query(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) given.set(name, String(value));
  const text = given.toString();
  return text === '' ? '' : `?${text}`;
}
