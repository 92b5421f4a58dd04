import { expect, test } from '@jest/globals';
import { exportedAt } from '../contract/contract.fixture.ts';
import { fuzz, fuzzTimeoutMs, type Random } from '../contract/fuzz.fixture.ts';
import { sealSnapshot } from '../contract/snapshot/seal-snapshot.ts';
import { snapshotChanges } from '../contract/snapshot/snapshot-changes.ts';
import type { InventorySnapshot, Item } from '../contract/snapshot/snapshot.ts';
import { createInventory } from './inventory.ts';
import type { TargetName } from './held-target.ts';

const scope = { cluster: 'c1', inventoryNamespace: 'team', inventoryName: 'all' };
const targets: readonly TargetName[] = [
  { namespace: 'team', name: 'pods' },
  { namespace: 'team', name: 'services' },
  { namespace: 'other', name: 'nodes' },
];
const pick = <T>(random: Random, from: readonly T[]): T => from[random(from.length)] as T;

function someItem(random: Random, target: TargetName): Item {
  const uid = `u${random(40)}`;
  return {
    targetNamespace: target.namespace,
    targetName: target.name,
    namespace: pick(random, ['', 'shop', 'käse']),
    name: `n-${uid}`,
    version: 'v1',
    kind: pick(random, ['Pod', 'Service']),
    uid,
    ...(random(2) === 0 && { group: 'apps' }),
    attributes: { a: random(3), text: 'x'.repeat(random(4) === 0 ? random(20_000) : random(20)) },
  };
}

const keyOf = (target: TargetName, uid: string): string => `${target.namespace}/${target.name} ${uid}`;

/** What the snapshot says, with the bytes of its items. */
function contentOf({ items, ...rest }: InventorySnapshot) {
  return { ...rest, items: items.map(({ json }) => Buffer.from(json).toString()) };
}

test(
  'whatever is done to an inventory, it seals what sealSnapshot would make of its items, and older snapshots stay',
  async () => {
    await fuzz(60, async (random) => {
      const inventory = createInventory(scope);
      const model = new Map<string, Item>();
      const incomplete = new Set<string>();
      const kept: { readonly snapshot: InventorySnapshot; readonly content: unknown }[] = [];
      const of = (target: TargetName): string[] =>
        [...model.keys()].filter((key) => key.startsWith(`${target.namespace}/${target.name} `));

      const deeds: readonly ((target: TargetName) => void | Promise<void>)[] = [
        (target) => {
          const item = someItem(random, target);
          inventory.set(item);
          model.set(keyOf(target, item.uid), item);
        },
        (target) => {
          const uid = `u${random(40)}`;
          inventory.delete({ target, uid });
          model.delete(keyOf(target, uid));
        },
        async (target) => {
          const list = new Map(
            Array.from({ length: random(30) }, () => someItem(random, target)).map((i) => [i.uid, i]),
          );
          const replaced = inventory.replaceTarget(target, list.values());
          for (const key of of(target)) model.delete(key);
          for (const item of list.values()) model.set(keyOf(target, item.uid), item);
          incomplete.delete(`${target.namespace}/${target.name}`);
          // Events that come while the list is read are newer than it.
          for (let count = random(4); count > 0; count--) {
            if (random(2) === 0) await Promise.resolve();
            await deeds[random(2)]?.(target);
          }
          await replaced;
        },
        (target) => {
          inventory.markIncomplete(target);
          incomplete.add(`${target.namespace}/${target.name}`);
        },
        (target) => {
          inventory.markComplete(target);
          incomplete.delete(`${target.namespace}/${target.name}`);
        },
        async () => {
          const generation = random(5);
          const snapshot = await inventory.seal({ generation, exportedAt });
          const incompleteTargets = [...incomplete];
          const expected = await sealSnapshot({
            ...scope,
            generation,
            exportedAt,
            items: model.values(),
            incompleteTargets,
          });
          expect(contentOf(snapshot)).toEqual(contentOf(expected));
          expect([inventory.size, inventory.bytes]).toEqual([expected.items.length, expected.itemsByteLength]);
          kept.push({ snapshot, content: contentOf(snapshot) });
        },
      ];
      for (let step = 0; step < 120; step++) await pick(random, deeds)(pick(random, targets));
      for (const { snapshot, content } of kept) expect(contentOf(snapshot)).toEqual(content);
      for (const [index, { snapshot }] of kept.entries()) {
        const older = kept[random(index + 1)]?.snapshot as InventorySnapshot;
        expect(await applied(older, snapshot)).toEqual(contentOf(snapshot).items.sort());
      }
    });
  },
  fuzzTimeoutMs,
);

/** The older snapshot's items with the changes made to them, in any order. */
async function applied(older: InventorySnapshot, newer: InventorySnapshot): Promise<string[]> {
  const changes = await snapshotChanges(older, newer);
  const key = ({ targetName, uid }: Item | InventorySnapshot['items'][number]): string => `${targetName} ${uid}`;
  const items = new Map(older.items.map((item) => [key(item), Buffer.from(item.json).toString()]));
  for (const item of changes.deleted) expect(items.delete(key(item))).toBe(true);
  for (const item of changes.updated) expect(items.get(key(item))).not.toBe(Buffer.from(item.json).toString());
  for (const item of changes.inserted) expect(items.has(key(item))).toBe(false);
  for (const item of [...changes.inserted, ...changes.updated]) items.set(key(item), Buffer.from(item.json).toString());
  return [...items.values()].sort();
}

test('memory of what went is given back over a million changes, and what a snapshot holds stays as it was', async () => {
  const inventory = createInventory(scope);
  const item = (index: number, value: number): Item => ({
    targetNamespace: 'team',
    targetName: 'pods',
    namespace: 'shop',
    name: `web-${index}`,
    version: 'v1',
    kind: 'Pod',
    uid: `u${index}`,
    attributes: { value },
  });
  for (let index = 0; index < 2_000; index++) inventory.set(item(index, 0));
  const first = await inventory.seal({ generation: 1, exportedAt });
  const content = contentOf(first);
  let largest = 0;
  // One item stays wherever a pool is: it would hold the pool for ever.
  for (let change = 1; change <= 1_000_000; change++) {
    inventory.set(item(change % 500 === 0 ? (change / 500) % 2_000 : 0, change));
    largest = Math.max(largest, inventory.reservedBytes);
  }
  expect(largest).toBeLessThan(inventory.bytes * 1.25 + 3 * 64 * 1024);
  expect(contentOf(first)).toEqual(content);
  for (let index = 0; index < 2_000; index++)
    inventory.delete({ target: { namespace: 'team', name: 'pods' }, uid: `u${index}` });
  expect([inventory.size, inventory.bytes, inventory.reservedBytes <= 64 * 1024]).toEqual([0, 2, true]);
  expect((await inventory.seal({ generation: 2, exportedAt })).items).toEqual([]);
}, 60_000);
