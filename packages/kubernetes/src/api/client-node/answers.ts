import type { IncomingHttpHeaders } from 'node:http';
import { httpFault } from '@kollect/core/authoring';
import { apiReason, callFailed, type ApiCall, type ApiError } from '../api-error.ts';
import type { ApiObject, ListPage, ResourceType, WatchEvent } from '../kubernetes-api.ts';
import { UnreadableAnswer } from './read-json.ts';

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const bad = (): UnreadableAnswer => new UnreadableAnswer('BadResponse');

/** An object with metadata and a name, and with the kind that lists leave out and metadata alone has not. */
export function readObject(value: unknown, type: ResourceType): ApiObject {
  if (!isObject(value) || !isObject(value['metadata'])) throw bad();
  const { name, namespace, uid, resourceVersion } = value['metadata'];
  const isText = (text: unknown): boolean => typeof text === 'string' && text !== '';
  if (!isText(name) || !isText(uid) || !isText(resourceVersion)) throw bad();
  if (namespace !== undefined && typeof namespace !== 'string') throw bad();
  return { ...value, apiVersion: type.apiVersion, kind: type.kind } as unknown as ApiObject;
}

export function readPage(value: unknown, type: ResourceType): ListPage {
  if (!isObject(value) || !isObject(value['metadata'])) throw bad();
  const { resourceVersion, continue: token = '' } = value['metadata'];
  // Go writes an empty list as null.
  const items: unknown = value['items'] ?? [];
  if (!Array.isArray(items) || !Object.hasOwn(value, 'items')) throw bad();
  if (typeof resourceVersion !== 'string' || resourceVersion === '' || typeof token !== 'string') throw bad();
  return {
    items: items.map((item) => readObject(item, type)),
    resourceVersion,
    ...(token === '' ? {} : { continue: token }),
  };
}

/** Throws what an ERROR event says. */
export function readEvent(value: unknown, type: ResourceType, call: ApiCall): WatchEvent {
  if (!isObject(value)) throw bad();
  const { type: event, object } = value;
  if (event === 'ERROR') throw statusError(object, call);
  if (event === 'BOOKMARK') return { type: event, object: readBookmark(object, type) };
  if (event !== 'ADDED' && event !== 'MODIFIED' && event !== 'DELETED') throw bad();
  return { type: event, object: readObject(object, type) };
}

function readBookmark(value: unknown, { apiVersion, kind }: ResourceType): ApiObject {
  const resourceVersion = isObject(value) && isObject(value['metadata']) && value['metadata']['resourceVersion'];
  if (typeof resourceVersion !== 'string' || resourceVersion === '') throw bad();
  return { apiVersion, kind, metadata: { name: '', resourceVersion } };
}

export function readTypes(value: unknown, apiVersion: string): readonly ResourceType[] {
  if (!isObject(value) || !Array.isArray(value['resources'])) throw bad();
  return value['resources'].flatMap((one: unknown) => {
    if (!isObject(one)) throw bad();
    const { name, kind, namespaced } = one;
    if (typeof name !== 'string' || typeof kind !== 'string' || typeof namespaced !== 'boolean') throw bad();
    // What has a slash is a subresource.
    return name.includes('/') ? [] : [{ apiVersion, kind, plural: name, namespaced }];
  });
}

const longestAskedMs = 60 * 60_000;

/** The Status of an ERROR event. */
function statusError(status: unknown, call: ApiCall): ApiError {
  const { code, reason, details } = isObject(status) ? status : {};
  const seconds = isObject(details) ? details['retryAfterSeconds'] : undefined;
  const isAsked = typeof seconds === 'number' && Number.isFinite(seconds) && seconds > 0;
  return callFailed(call, {
    status: typeof code === 'number' && Number.isInteger(code) && code >= 400 && code < 600 ? code : 500,
    reason: apiReason(reason),
    ...(isAsked ? { retryAfterMs: Math.min(seconds * 1_000, longestAskedMs) } : {}),
  });
}

/** An answer that is none of 2xx; `body` is the Status, where there was one. */
export function refusal(status: number, headers: IncomingHttpHeaders, body: unknown, call: ApiCall): ApiError {
  const reason = apiReason(isObject(body) ? body['reason'] : undefined);
  return callFailed(call, { status, reason, retryAfterMs: httpFault({ status, headers })?.retryAfterMs });
}
