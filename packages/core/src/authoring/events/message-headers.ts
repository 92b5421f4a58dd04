import { documentSchemaVersion } from '../../contract/document/document.ts';
import { formatGvk } from '../../contract/snapshot/gvk.ts';
import type { InventorySnapshot, Scope } from '../../contract/snapshot/snapshot.ts';
import type { EventBinding } from './event-binding.ts';

/** Which document of a snapshot a message holds; `partTotal` 1 for the whole. */
export interface MessagePart {
  readonly partIndex: number;
  readonly partTotal: number;
}

export type MessageHeaders = Readonly<Record<string, string>>;

/** The headers of a whole document; those of a part gain `partHeaders`. */
export function snapshotHeaders(snapshot: InventorySnapshot, { names, encode }: EventBinding): MessageHeaders {
  const gvk = onlyGvk(snapshot);
  return {
    ...scopeHeaders(snapshot, { names, encode }),
    ...(gvk === undefined ? undefined : { [names.gvk]: encode(gvk) }),
    [names.generation]: String(snapshot.generation),
    [names.checksum]: snapshot.checksum,
    [names.schemaVersion]: documentSchemaVersion,
    [names.exportedAt]: snapshot.exportedAt,
    [names.contentType]: 'application/json',
  };
}

export function partHeaders({ partIndex, partTotal }: MessagePart, { names }: EventBinding): MessageHeaders {
  return partTotal === 1 ? {} : { [names.partIndex]: String(partIndex), [names.partTotal]: String(partTotal) };
}

/** The headers of a removal, which has no content to name a type of. */
export function removalHeaders(scope: Scope, removedAt: string, { names, encode }: EventBinding): MessageHeaders {
  return {
    ...scopeHeaders(scope, { names, encode }),
    [names.schemaVersion]: documentSchemaVersion,
    [names.removedAt]: removedAt,
  };
}

function scopeHeaders(
  { cluster, inventoryNamespace, inventoryName }: Scope,
  { names, encode }: Pick<EventBinding, 'names' | 'encode'>,
): MessageHeaders {
  return {
    ...(cluster === undefined || cluster === '' ? undefined : { [names.cluster]: encode(cluster) }),
    [names.namespace]: encode(inventoryNamespace),
    [names.inventory]: encode(inventoryName),
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
