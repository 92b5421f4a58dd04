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

/** Asks the API server until it knows the kind; resolves with undefined once the signal aborted. */
export async function findResourceType(
  { api, clock }: DiscoveryOptions,
  { apiVersion, kind }: ObjectKind,
  { signal, onFailure }: FindOptions,
): Promise<ResourceType | undefined> {
  const call = { verb: 'discover', type: { plural: `${kind} of ${apiVersion}` } };
  for (let failures = 1; !signal.aborted; failures++) {
    const reason = (): ApiError => callFailed(call, { status: 0, reason: 'NoAnswer' });
    const limit = limitSilence(signal, { clock, ms: answerMs, reason });
    try {
      const types = await untilAborted(api.resourceTypes(apiVersion, { signal: limit.signal }), limit.signal);
      const found = types.find((type) => type.kind === kind);
      if (found !== undefined) return found;
      onFailure(callFailed(call, { status: 404, reason: 'NotFound' }));
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
