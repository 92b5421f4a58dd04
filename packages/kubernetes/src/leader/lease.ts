import type { DeliveryClock } from '@kollect/core';
import { ApiError } from '../api/api-error.ts';
import type { ApiObject, KubernetesApi } from '../api/kubernetes-api.ts';
import { leaseType, microTime, readLease, type LeaseRecord } from './lease-record.ts';
import type { LeaderElection } from './leader-election.ts';

/** `ours`: held by us for another duration; `others`: somebody else has it; `lost-race`: it changed while we wrote. */
export type TakeResult = 'ours' | 'others' | 'lost-race';

/** One Lease, as one process sees it. */
export interface Lease {
  /** Takes it, or renews it. Rejects where the API server cannot say. */
  take(signal: AbortSignal): Promise<TakeResult>;
  /** Lets go of it where it is ours, so that others need not wait. */
  release(signal: AbortSignal): Promise<void>;
  /** Who held it when it was last looked at. */
  readonly holder: string;
}

export interface LeaseOptions {
  readonly api: Pick<KubernetesApi, 'get' | 'create' | 'replace'>;
  readonly election: LeaderElection;
  readonly clock: DeliveryClock;
}

/**
 * Whether its holder is alive is judged by our own clock: by when we saw the Lease change last, and never by the times that are written in it, so that
 * clocks which differ do no harm.
 */
export function createLease({ api, election, clock }: LeaseOptions): Lease {
  const { identity, leaseDurationMs } = election;
  const of = { name: election.lease, namespace: election.namespace };
  let observed: { readonly version: string; readonly at: number } | undefined;
  let holder = '';

  const observe = (lease: ApiObject): LeaseRecord => {
    const version = `${lease.metadata.uid ?? ''} ${lease.metadata.resourceVersion ?? ''}`;
    if (observed?.version !== version) observed = { version, at: clock.now() };
    const record = readLease(lease);
    ({ holder } = record);
    return record;
  };
  const isAlive = ({ durationMs = leaseDurationMs }: LeaseRecord): boolean =>
    clock.now() < (observed?.at ?? 0) + durationMs;

  const specOf = (before: ApiObject | undefined, record: LeaseRecord | undefined, holderIdentity: string) => {
    const now = microTime(clock.now());
    const changed = record?.holder !== identity;
    const old = (before?.['spec'] ?? {}) as Readonly<Record<string, unknown>>;
    return {
      holderIdentity,
      leaseDurationSeconds: holderIdentity === '' ? 1 : Math.ceil(leaseDurationMs / 1_000),
      acquireTime: changed || typeof old['acquireTime'] !== 'string' ? now : old['acquireTime'],
      renewTime: now,
      leaseTransitions: (record?.transitions ?? 0) + (changed && record !== undefined ? 1 : 0),
    };
  };
  const write = async (call: () => Promise<ApiObject>): Promise<TakeResult> => {
    try {
      observe(await call());
      return 'ours';
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) return 'lost-race';
      throw error;
    }
  };

  return {
    get holder() {
      return holder;
    },
    take: async (signal) => {
      const held = await api.get(leaseType, of, { signal });
      if (held === undefined) {
        const spec = specOf(undefined, undefined, identity);
        return write(() => api.create(leaseType, { ...typeFields, metadata: { ...of }, spec }, { signal }));
      }
      const record = observe(held);
      if (record.holder !== '' && record.holder !== identity && isAlive(record)) return 'others';
      const next = { ...held, ...typeFields, spec: specOf(held, record, identity) };
      return write(() => api.replace(leaseType, next, { signal }));
    },
    release: async (signal) => {
      const held = await api.get(leaseType, of, { signal });
      if (held === undefined) return;
      const record = observe(held);
      if (record.holder !== identity) return;
      await write(() => api.replace(leaseType, { ...held, ...typeFields, spec: specOf(held, record, '') }, { signal }));
    },
  };
}

const typeFields = { apiVersion: leaseType.apiVersion, kind: leaseType.kind };
