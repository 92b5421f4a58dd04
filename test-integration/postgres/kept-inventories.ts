import {
  createInventory,
  sealSnapshot,
  type Inventory,
  type InventorySnapshot,
  type Item,
  type SnapshotInput,
} from '@kollect/core';

/** True in the run whose snapshots come from inventories that are kept, as those of an operator do. */
export const keepsInventories = 'keptInventories' in globalThis;

interface Kept {
  readonly inventory: Inventory;
  targets: ReadonlySet<string>;
  last: Promise<unknown>;
}

const kept = new Map<string, Kept>();

/** The snapshot that `sealSnapshot` makes, of the scope's one inventory, which takes what is new. */
export function sealKept(input: SnapshotInput): Promise<InventorySnapshot> {
  const { cluster, inventoryNamespace, inventoryName } = input;
  const key = JSON.stringify([cluster, inventoryNamespace, inventoryName]);
  const scope = { ...(cluster !== undefined && { cluster }), inventoryNamespace, inventoryName };
  const known = kept.get(key) ?? { inventory: createInventory(scope), targets: new Set(), last: Promise.resolve() };
  kept.set(key, known);
  const sealed = known.last.then(() => sealNext(known, input, [...input.items]));
  known.last = sealed.catch(() => undefined);
  return sealed;
}

async function sealNext(known: Kept, input: SnapshotInput, items: readonly Item[]): Promise<InventorySnapshot> {
  const { generation, exportedAt, incompleteTargets = [] } = input;
  const { inventory } = known;
  const byTarget = new Map<string, Item[]>();
  for (const item of items) {
    const target = JSON.stringify({ namespace: item.targetNamespace, name: item.targetName });
    byTarget.set(target, [...(byTarget.get(target) ?? []), item]);
  }
  for (const target of new Set([...byTarget.keys(), ...known.targets]))
    await inventory.replaceTarget(targetOf(target), byTarget.get(target) ?? []);
  known.targets = new Set(byTarget.keys());
  const incomplete = incompleteTargets.map((name) => incompleteTarget(items, name));
  for (const target of incomplete) inventory.markIncomplete(target);
  const sealed = await inventory.seal({ generation, ...(exportedAt !== undefined && { exportedAt }) });
  for (const target of incomplete) inventory.markComplete(target);
  const { checksum } = await sealSnapshot({ ...input, items });
  if (sealed.checksum !== checksum) throw new Error(`The inventory sealed ${sealed.checksum}, not ${checksum}.`);
  return sealed;
}

type Target = Parameters<Inventory['markIncomplete']>[0];

const targetOf = (key: string): Target => JSON.parse(key) as Target;

/** A bare name is in the namespace of its items, or of all others. */
function incompleteTarget(items: readonly Item[], name: string): Target {
  const [namespace, rest] = name.split('/');
  if (namespace !== undefined && rest !== undefined) return { namespace, name: rest };
  return { namespace: items.find(({ targetName }) => targetName === name)?.targetNamespace ?? 'platform', name };
}
