import { SinkError } from '../../contract/errors/errors.ts';
import { itemKey } from '../../contract/snapshot/merge-items.ts';
import { joinPartsInSlices, type InventoryDocument } from '../../contract/document/read-document.ts';
import { compareItems } from '../../contract/snapshot/sort-items.ts';
import { createTimeSlices } from '../../contract/time-slices.ts';
import { formatMessageKey } from './message-key.ts';
import type { PartSet } from './pending-parts.ts';

/** True where no part is missing. */
export function isWhole({ document, parts }: PartSet): boolean {
  return parts.size === document.partTotal;
}

/**
 * The whole document of a set without gaps. Gives way to the event loop while it verifies. SNAPSHOT_INVALID where the items do not have the
 * checksum, or are not those of one snapshot in its order.
 */
export async function joinPartSet({ parts }: PartSet): Promise<InventoryDocument> {
  const document = await joinPartsInSlices([...parts.values()].map((part) => part.document));
  const slices = createTimeSlices({ operation: 'read' });
  const keys = new Set<string>();
  for (const [index, item] of document.items.entries()) {
    const previous = document.items[index - 1];
    keys.add(itemKey(item));
    if (keys.size <= index || (previous !== undefined && compareItems(previous, item) >= 0)) {
      throw new SinkError(
        'SNAPSHOT_INVALID',
        `The items of inventory ${formatMessageKey(document)} are not in canonical order across its ${parts.size} parts, or one is there twice; read it again.`,
        { operation: 'read' },
      );
    }
    if (slices.due()) await slices.next();
  }
  return document;
}
