import type { ObjectName } from '../../api/kubernetes-api.ts';

/** One inventory, as the exporter knows it. */
export interface ScopeName {
  readonly cluster?: string;
  readonly namespace: string;
  readonly name: string;
}

export function scopeName(cluster: string | undefined, { namespace = '', name }: ObjectName): ScopeName {
  return { ...(cluster === undefined ? {} : { cluster }), namespace, name };
}
