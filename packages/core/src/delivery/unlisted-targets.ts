import { unlistedTargets } from '../contract/snapshot/incomplete-targets.ts';
import { formatScope } from '../contract/snapshot/scope.ts';
import type { InventorySnapshot } from '../contract/snapshot/snapshot.ts';
import type { DeliveryLogger } from '../observability/logging.ts';

const maxInventories = 10_000;

/** Warns of incomplete targets that no item has, once until they are others: such a target may be empty, or misspelled and so unprotected. */
export function createTargetWarnings(logger: DeliveryLogger): (snapshot: InventorySnapshot) => void {
  const told = new Map<string, string>();
  return (snapshot) => {
    if (snapshot.incompleteTargets.length === 0) return;
    const inventory = formatScope(snapshot);
    const targets = unlistedTargets(snapshot).join(', ');
    if (told.get(inventory) === targets || targets === '') return;
    if (told.size >= maxInventories) told.clear();
    told.set(inventory, targets);
    logger.warn({ inventory, targets }, 'Incomplete targets have no item in the snapshot: is their name right?');
  };
}
