import { SinkError } from '../../contract/errors.ts';
import { snapshotFromDocument, type InventoryDocument } from '../../contract/read-document.ts';
import { formatMessageKey } from './message-key.ts';
import type { PartSet } from './pending-parts.ts';

/** True where no part is missing. */
export function isWhole({ document, parts }: PartSet): boolean {
  return parts.size === document.partTotal;
}

/**
 * The whole document of a set without gaps. Gives way to the event loop while it verifies, as a snapshot of 20 MB takes a quarter of a second.
 * SNAPSHOT_INVALID where the items do not have the checksum.
 */
export async function joinPartSet({ parts }: PartSet): Promise<InventoryDocument> {
  const ordered = [...parts].sort(([a], [b]) => a - b).map(([, { document }]) => document);
  const [first] = ordered;
  if (first === undefined)
    throw new SinkError('CONTRACT_VIOLATION', 'A set without parts cannot be joined.', { operation: 'read' });
  const items = ordered.flatMap((part) => part.items);
  const { partIndex: _index, partTotal: _total, ...whole } = first;
  const document = { ...whole, itemCount: items.length, items };
  const sealed = await snapshotFromDocument(document);
  // Sealing sorts, and a checksum is that of the items as they are.
  if (
    sealed.items.every(
      ({ targetName, uid }, index) => targetName === items[index]?.targetName && uid === items[index]?.uid,
    )
  )
    return document;
  throw new SinkError(
    'SNAPSHOT_INVALID',
    `The items of inventory ${formatMessageKey(document)} are not in canonical order across its ${ordered.length} parts; read it again.`,
    {
      operation: 'read',
    },
  );
}
