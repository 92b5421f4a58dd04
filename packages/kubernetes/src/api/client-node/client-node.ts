import { parseDuration, SinkError } from '@kollect/core';
import { checkOptions, objectWith, required, someText } from '@kollect/core/authoring';
import { ApiError, callFailed, type ApiCall } from '../api-error.ts';
import type {
  KubernetesApi,
  ObjectName,
  ResourceType,
  Selection,
  WatchEvent,
  WatchOptions,
} from '../kubernetes-api.ts';
import { readEvent, readObject, readPage, readTypes } from './answers.ts';
import { serverUrl, type KubeConfigSource } from './kube-config.ts';
import { UnreadableAnswer } from './read-json.ts';
import { groupPath, listQuery, patchQuery, resourcePath, watchQuery } from './resource-path.ts';
import { createServerCalls } from './server-calls.ts';

export interface ClientNodeOptions {
  /** For name, TCP and TLS together. Default `10s`. */
  readonly connectTimeout?: string;
  /** For a whole answer; of a watch until it begins. Default `60s`. */
  readonly callTimeout?: string;
}

const asMetadata = 'g=meta.k8s.io;v=v1';
const patchTypes = { merge: 'application/merge-patch+json', apply: 'application/apply-patch+yaml' } as const;

/**
 * The API server of a `KubeConfig` of `@kubernetes/client-node`, 1 or 2, which says where it is and as whom we speak, anew for each call; the calls
 * themselves are ours, each bounded in time and size. Throws SPEC_INVALID where the config names no server.
 */
export function clientNode(config: KubeConfigSource, options?: ClientNodeOptions): Required<KubernetesApi> {
  const aConfig = required(objectWith('getCurrentCluster', 'applyToHTTPSOptions'));
  checkOptions({ config }, { config: aConfig }, { of: 'The KubeConfig given to clientNode' });
  const kinds = { connectTimeout: someText, callTimeout: someText };
  const limits = checkOptions<ClientNodeOptions>(options, kinds, { of: 'The options of clientNode' });
  serverUrl(config);
  const calls = createServerCalls(config, {
    connectTimeoutMs: limitOf(limits.connectTimeout ?? '10s', 'connectTimeout'),
    callTimeoutMs: limitOf(limits.callTimeout ?? '60s', 'callTimeout'),
  });
  const callOf = (verb: string, type: ResourceType, of?: Partial<ObjectName>): ApiCall => ({ verb, type, of });

  async function* watch(type: ResourceType, options: WatchOptions): AsyncGenerator<WatchEvent, void> {
    const call = callOf('watch', type, { ...named(options) });
    const path = resourcePath(type, named(options), call) + watchQuery(options);
    const lines = calls.lines({ call, method: 'GET', path, ...acceptOf(options, ''), signal: options.signal });
    for await (const line of lines) yield reading(call, () => readEvent(line, type, call));
  }

  return {
    list: async (type, options) => {
      const call = callOf('list', type, named(options));
      const path = resourcePath(type, named(options), call) + listQuery(options);
      const { signal } = options;
      const page = await calls.json({ call, method: 'GET', path, ...acceptOf(options, 'List'), signal });
      return reading(call, () => readPage(page, type));
    },
    watch,
    get: async (type, of, { signal }) => {
      const call = callOf('get', type, of);
      const path = resourcePath(type, needName(of, call), call);
      const found = await calls.json({ call, method: 'GET', path, signal }).catch(undefinedFor404);
      return found === undefined ? undefined : reading(call, () => readObject(found, type));
    },
    create: async (type, object, { signal }) => {
      const call = callOf('create', type, named(object.metadata));
      const path = resourcePath(type, named(object.metadata), call);
      const made = await calls.json({ call, method: 'POST', path, body: object, signal });
      return reading(call, () => readObject(made, type));
    },
    replace: async (type, object, { signal }) => {
      const call = callOf('replace', type, nameOf(object.metadata));
      const path = resourcePath(type, needName(object.metadata, call), call);
      const replaced = await calls.json({ call, method: 'PUT', path, body: object, signal });
      return reading(call, () => readObject(replaced, type));
    },
    patch: async (type, of, body, options) => {
      const call = callOf('patch', type, nameOf(of));
      const path = resourcePath(type, needName(of, call), call, options.subresource) + patchQuery(options);
      const contentType = patchTypes[options.type];
      const sent =
        options.type === 'apply' ? { apiVersion: type.apiVersion, kind: type.kind, ...withName(body, of) } : body;
      const patched = await calls.json({
        call,
        method: 'PATCH',
        path,
        contentType,
        body: sent,
        signal: options.signal,
      });
      return reading(call, () => readObject(patched, type));
    },
    delete: async (type, of, { signal, uid }) => {
      const call = callOf('delete', type, nameOf(of));
      const path = resourcePath(type, needName(of, call), call);
      const body = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        ...(uid === undefined ? {} : { preconditions: { uid } }),
      };
      await calls.json({ call, method: 'DELETE', path, body, signal }).catch(undefinedFor404);
    },
    resourceTypes: async (apiVersion, { signal }) => {
      const call = { verb: 'list', type: { plural: 'resource types' } };
      const path = groupPath(apiVersion, call);
      const found = await calls.json({ call, method: 'GET', path, signal }).catch(undefinedFor404);
      return found === undefined ? [] : reading(call, () => readTypes(found, apiVersion));
    },
    close: () => calls.close(),
  };
}

/** What Node's timers can hold; a longer one would fire at once. */
const maxTimerMs = 2 ** 31 - 1;

function limitOf(text: string, option: string): number {
  const ms = parseDuration(text, option);
  if (ms > 0) return Math.min(ms, maxTimerMs);
  throw new SinkError('SPEC_INVALID', `The option ${option} of clientNode must be longer than nothing.`);
}

function acceptOf({ metadataOnly }: Selection, list: 'List' | ''): { readonly accept?: string } {
  return metadataOnly === true ? { accept: `application/json;as=PartialObjectMetadata${list};${asMetadata}` } : {};
}

/** All objects of the namespace, or of the cluster. */
function named({ namespace }: Selection): { readonly namespace?: string } {
  return namespace === undefined ? {} : { namespace };
}

function nameOf({ name, namespace }: ObjectName): ObjectName {
  return namespace === undefined ? { name } : { name, namespace };
}

/** What is applied says itself what it is. */
function withName(body: object, of: ObjectName): object {
  const { metadata } = body as { readonly metadata?: object };
  return { ...body, metadata: { ...nameOf(of), ...metadata } };
}

/** Without a name a call would mean every object. */
function needName(of: ObjectName, call: ApiCall): ObjectName {
  const name: unknown = of.name;
  if (typeof name !== 'string') throw callFailed(call, { status: 400, reason: 'BadRequest' });
  return nameOf(of);
}

function reading<T>(call: ApiCall, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnreadableAnswer) throw callFailed(call, { status: 0, reason: error.reason });
    throw error;
  }
}

function undefinedFor404(error: unknown): undefined {
  if (error instanceof ApiError && error.status === 404) return undefined;
  throw error;
}
