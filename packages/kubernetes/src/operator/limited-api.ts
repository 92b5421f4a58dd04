import type { DeliveryClock } from '@kollect/core';
import { callFailed } from '../api/api-error.ts';
import type { CallOptions, KubernetesApi, ObjectName, ResourceType } from '../api/kubernetes-api.ts';
import { limitSilence, untilAborted } from '../watch/time-limit.ts';

/** The calls of one object. */
export type ObjectApi = Pick<KubernetesApi, 'get' | 'create' | 'replace' | 'patch' | 'delete'>;

const limitMs = 30_000;

/** The same calls, each of which ends after half a minute: a server that says nothing holds up nobody, and neither does an adapter that ignores signals. */
export function limitCalls(api: ObjectApi, clock: DeliveryClock): ObjectApi {
  const within = async <T>(
    call: { readonly verb: string; readonly type: ResourceType; readonly of: ObjectName },
    { signal: parent }: CallOptions,
    run: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    const reason = () => callFailed(call, { status: 0, reason: 'NoAnswer' });
    const { signal, end } = limitSilence(parent, { clock, ms: limitMs, reason });
    try {
      return await untilAborted(run(signal), signal);
    } finally {
      end();
    }
  };
  return {
    get: (type, of, options) =>
      within({ verb: 'get', type, of }, options, (signal) => api.get(type, of, { ...options, signal })),
    create: (type, object, options) =>
      within({ verb: 'create', type, of: object.metadata }, options, (signal) =>
        api.create(type, object, { ...options, signal }),
      ),
    replace: (type, object, options) =>
      within({ verb: 'replace', type, of: object.metadata }, options, (signal) =>
        api.replace(type, object, { ...options, signal }),
      ),
    patch: (type, of, body, options) =>
      within({ verb: 'patch', type, of }, options, (signal) => api.patch(type, of, body, { ...options, signal })),
    delete: (type, of, options) =>
      within({ verb: 'delete', type, of }, options, (signal) => api.delete(type, of, { ...options, signal })),
  };
}
