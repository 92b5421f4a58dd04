import type { ApiObject, ResourceType } from '../api/kubernetes-api.ts';

export const leaseType: ResourceType = Object.freeze({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
});

/** What a Lease says of its holder. */
export interface LeaseRecord {
  /** Empty: nobody holds it. */
  readonly holder: string;
  /** How long its holder may be silent; undefined where it does not say. */
  readonly durationMs: number | undefined;
  readonly transitions: number;
}

/** Nobody is waited for longer, whatever a Lease says. */
export const longestLeaseMs = 60 * 60_000;

/** Reads a Lease of anybody: what cannot be read counts as not said. */
export function readLease(lease: ApiObject): LeaseRecord {
  const { spec } = lease;
  const fields = (typeof spec === 'object' && spec !== null ? spec : {}) as Readonly<Record<string, unknown>>;
  const { holderIdentity, leaseDurationSeconds: seconds, leaseTransitions: transitions } = fields;
  return {
    holder: typeof holderIdentity === 'string' ? holderIdentity : '',
    durationMs:
      typeof seconds === 'number' && seconds > 0 && Number.isFinite(seconds)
        ? Math.min(seconds * 1_000, longestLeaseMs)
        : undefined,
    transitions: Number.isSafeInteger(transitions) ? Number(transitions) : 0,
  };
}

/** A time as a Lease has it, in microseconds. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
