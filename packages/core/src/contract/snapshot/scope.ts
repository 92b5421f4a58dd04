import type { Scope } from './snapshot.ts';

/** `cluster:namespace/name`, or `namespace/name` without a cluster: for messages and keys. */
export function formatScope({ cluster, inventoryNamespace, inventoryName }: Scope): string {
  const inventory = `${inventoryNamespace}/${inventoryName}`;
  return cluster === undefined || cluster === '' ? inventory : `${cluster}:${inventory}`;
}
