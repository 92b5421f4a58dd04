import type { DeliveryClock } from '@kollect/core';
import { ApiError, callFailed } from '../../api/api-error.ts';
import type { KubernetesApi, ResourceType } from '../../api/kubernetes-api.ts';
import { backOffMs } from '../../watch/back-off.ts';
import { limitSilence, pause, untilAborted } from '../../watch/time-limit.ts';

/** `apps/v1` and `Deployment`, as a manifest names it. */
export interface ObjectKind {
  readonly apiVersion: string;
  readonly kind: string;
}

export interface DiscoveryOptions {
  readonly api: Pick<KubernetesApi, 'resourceTypes'>;
  readonly clock: DeliveryClock;
}

const answerMs = 30_000;
/** A CRD may be installed later. */
const unknownKindMs = 30_000;

export interface FindOptions {
  readonly signal: AbortSignal;
  readonly onFailure: (error: ApiError) => void;
}

/**
 * Asks the API server until it knows the kind; resolves with undefined once the signal aborted. Of a namespace only kinds that have one are found: who
 * may collect there must not get what belongs to the whole cluster.
 */
export async function findResourceType(
  { api, clock }: DiscoveryOptions,
  { apiVersion, kind, namespace }: ObjectKind & { readonly namespace?: string },
  { signal, onFailure }: FindOptions,
): Promise<ResourceType | undefined> {
  const call = { verb: 'discover', type: { plural: `${kind} of ${apiVersion}` } };
  for (let failures = 1; !signal.aborted; failures++) {
    const reason = (): ApiError => callFailed(call, { status: 0, reason: 'NoAnswer' });
    const limit = limitSilence(signal, { clock, ms: answerMs, reason });
    try {
      const types = await untilAborted(api.resourceTypes(apiVersion, { signal: limit.signal }), limit.signal);
      const found = types.find((type) => type.kind === kind);
      const isOfCluster = found?.namespaced === false && namespace !== undefined;
      if (found !== undefined && !isOfCluster) return found;
      const detail = isOfCluster
        ? 'its objects belong to no namespace: they are collected with allNamespaces'
        : undefined;
      onFailure(callFailed(call, { status: 404, reason: 'NotFound' }, detail));
      await pause(clock, unknownKindMs, signal);
    } catch (thrown) {
      if (signal.aborted) return undefined;
      const error =
        thrown instanceof ApiError ? thrown : callFailed(call, { status: 0, reason: 'BadResponse', cause: thrown });
      onFailure(error);
      await pause(clock, backOffMs(failures, error.retryAfterMs), signal);
    } finally {
      limit.end();
    }
  }
  return undefined;
}
