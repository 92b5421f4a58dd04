import { documentSchemaVersion, formatGvk, type InventorySnapshot, type Scope } from '@kollect/core';

/** Names of the headers of a message, as `docs/kafka.md` lists them. */
export const headerNames = {
  cluster: 'kollect.dev/cluster',
  namespace: 'kollect.dev/namespace',
  inventory: 'kollect.dev/inventory',
  gvk: 'kollect.dev/gvk',
  generation: 'kollect.dev/generation',
  checksum: 'kollect.dev/checksum',
  schemaVersion: 'kollect.dev/schema-version',
  exportedAt: 'kollect.dev/exported-at',
  partIndex: 'kollect.dev/part-index',
  partTotal: 'kollect.dev/part-total',
  removedAt: 'kollect.dev/removed-at',
  contentType: 'content-type',
} as const;

/** Which document of a snapshot a message holds; `partTotal` 1 for the whole. */
export interface MessagePart {
  readonly partIndex: number;
  readonly partTotal: number;
}

export type MessageHeaders = Readonly<Record<string, string>>;

/** The headers of a whole document; those of a part gain `partHeaders`. */
export function snapshotHeaders(snapshot: InventorySnapshot): MessageHeaders {
  const gvk = onlyGvk(snapshot);
  return {
    ...scopeHeaders(snapshot),
    ...(gvk === undefined ? undefined : { [headerNames.gvk]: gvk }),
    [headerNames.generation]: String(snapshot.generation),
    [headerNames.checksum]: snapshot.checksum,
    [headerNames.schemaVersion]: documentSchemaVersion,
    [headerNames.exportedAt]: snapshot.exportedAt,
    [headerNames.contentType]: 'application/json',
  };
}

export function partHeaders({ partIndex, partTotal }: MessagePart): MessageHeaders {
  return partTotal === 1
    ? {}
    : { [headerNames.partIndex]: String(partIndex), [headerNames.partTotal]: String(partTotal) };
}

/** The headers of a removal, which has no content to name a type of. */
export function removalHeaders(scope: Scope, removedAt: string): MessageHeaders {
  return {
    ...scopeHeaders(scope),
    [headerNames.schemaVersion]: documentSchemaVersion,
    [headerNames.removedAt]: removedAt,
  };
}

function scopeHeaders({ cluster, inventoryNamespace, inventoryName }: Scope): MessageHeaders {
  return {
    ...(cluster === undefined || cluster === '' ? undefined : { [headerNames.cluster]: cluster }),
    [headerNames.namespace]: inventoryNamespace,
    [headerNames.inventory]: inventoryName,
  };
}

/** Of a snapshot that holds one kind of object; undefined with none and with several. */
function onlyGvk({ items }: InventorySnapshot): string | undefined {
  const [first] = items;
  if (first === undefined) return undefined;
  const { group, version, kind } = first;
  return items.every((item) => item.kind === kind && item.version === version && item.group === group)
    ? formatGvk(first)
    : undefined;
}
