import { expect, test } from '@jest/globals';
import { exportedAt, item, items, refusal } from '../contract/contract.fixture.ts';
import { countRuns } from '../contract/snapshot/hash-runs.ts';
import { sealSnapshot } from '../contract/snapshot/seal-snapshot.ts';
import type { PooledItem } from '../contract/snapshot/sealed-item.ts';
import type { Item } from '../contract/snapshot/snapshot.ts';
import { createInventory } from './inventory.ts';
import type { Inventory, InventoryOptions } from './inventory-types.ts';

const scope = { inventoryNamespace: 'team', inventoryName: 'all' };
const pods = { namespace: 'team', name: 'pods' };
const make = (options?: InventoryOptions): Inventory => createInventory(scope, options);
const seal = (inventory: Inventory) => inventory.seal({ generation: 1, exportedAt });
const uids = async (inventory: Inventory): Promise<string[]> => (await seal(inventory)).items.map(({ uid }) => uid);

const pod = (version: string, image = 'a', uid = 'u1') => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'shop', uid, resourceVersion: version },
  spec: { image },
});

test('an item set again with equal content changes nothing, and snapshots share what is equal', async () => {
  const inventory = make();
  expect(inventory.set(item())).toBe(true);
  const first = await seal(inventory);
  expect(inventory.set(item({ attributes: { a: 1 } }))).toBe(false);
  expect(await seal(inventory)).toEqual(first);
  inventory.set(item({ uid: 'u2', name: 'other' }));
  const second = await seal(inventory);
  expect(second.items.find(({ uid }) => uid === 'u1')).toBe(first.items[0]);
  expect(Object.isFrozen(second.items)).toBe(true);
});

test('a deleted item is gone, and deleting it again says so', async () => {
  const inventory = make();
  inventory.set(item());
  expect(inventory.delete({ target: { namespace: 'elsewhere', name: 'pods' }, uid: 'u1' })).toBe(false);
  expect(inventory.delete({ target: pods, uid: 'u1' })).toBe(true);
  expect(inventory.delete({ target: pods, uid: 'u1' })).toBe(false);
  expect(await uids(inventory)).toEqual([]);
});

test('an object whose resourceVersion is held is not read again, unless other attributes are wanted of it', () => {
  const inventory = make();
  const image = ['.spec.image'];
  let reads = 0;
  const counted = (version: string) => {
    const { spec, ...rest } = pod(version);
    return Object.defineProperty({ ...rest, spec }, 'spec', {
      enumerable: true,
      get: () => {
        reads += 1;
        return spec;
      },
    });
  };
  expect(inventory.setObject(counted('1'), { target: pods, attributes: image })).toBe(true);
  expect(reads).toBeGreaterThan(0);
  reads = 0;
  expect(inventory.setObject(counted('1'), { target: pods, attributes: image })).toBe(false);
  expect(reads).toBe(0);
  expect(inventory.setObject(pod('1'), { target: pods, attributes: { image: '.spec.image' } })).toBe(true);
  expect(inventory.setObject(pod('2', 'b'), { target: pods, attributes: { image: '.spec.image' } })).toBe(true);
  // Without a version there is nothing to go by.
  expect(inventory.setObject(pod('', 'c'), { target: pods, attributes: image })).toBe(true);
});

test('an object deleted and set again with the version it had is held', async () => {
  const inventory = make();
  const attributes = ['.spec.image'];
  inventory.setObject(pod('1'), { target: pods, attributes });
  inventory.delete({ target: pods, uid: 'u1' });
  expect(inventory.setObject(pod('1'), { target: pods, attributes })).toBe(true);
  expect(await uids(inventory)).toEqual(['u1']);
});

test('a replacement says what it did, and reads no object that is held in its version', async () => {
  const inventory = make();
  const attributes = { image: '.spec.image' };
  await inventory.replaceObjects([pod('1'), pod('1', 'a', 'u2'), pod('1', 'a', 'u3')], { target: pods, attributes });
  const unread = { metadata: { name: 'web', namespace: 'shop', uid: 'u1', resourceVersion: '1' } };
  const list = [unread, pod('2', 'b', 'u2'), pod('1', 'a', 'u4')];
  expect(await inventory.replaceObjects(list, { target: pods, attributes })).toEqual({
    inserted: 1,
    updated: 1,
    deleted: 1,
  });
  expect(await uids(inventory)).toEqual(['u1', 'u2', 'u4']);
});

test('items told in any order lie in their own once they were sealed, also while others go and come', async () => {
  const inventory = make();
  const all = items(3_000);
  // 7 and 3,000 have no divisor in common.
  for (let index = 0; index < all.length; index++) inventory.set(all[(index * 7) % all.length] as Item);
  const sealing = seal(inventory);
  for (const { uid } of all.slice(0, 500)) inventory.delete({ target: pods, uid });
  const first = await sealing;
  const kept = first.items.map(({ json }) => Buffer.from(json).toString());
  expect(countRuns(first.items as readonly PooledItem[])).toBeLessThan(20);
  const second = await seal(inventory);
  expect(second.checksum).toBe(
    (await sealSnapshot({ ...scope, generation: 1, exportedAt, items: all.slice(500) })).checksum,
  );
  for (const each of all.slice(0, 2_000)) inventory.set({ ...each, attributes: { a: 2 } });
  await seal(inventory);
  expect(first.items.map(({ json }) => Buffer.from(json).toString())).toEqual(kept);
  expect(inventory.reservedBytes).toBeLessThan(inventory.bytes * 1.3 + 64 * 1024);
});

test('a replacement of which one item is refused changes nothing', async () => {
  const inventory = make();
  inventory.set(item());
  const before = [inventory.bytes, inventory.reservedBytes];
  const bad = [...items(3), item({ uid: 'bad', attributes: { a: Number.NaN } })];
  expect(await refusal(() => inventory.replaceTarget(pods, bad))).toMatch(
    /^Inventory team\/all, Pod shop\/web \(uid bad\): attributes\.a is NaN/u,
  );
  expect(await refusal(() => inventory.replaceTarget(pods, [...items(2), items(1)[0] as Item]))).toBe(
    'Inventory team/all: Pod shop/web-0 (uid u0) and Pod shop/web-0 (uid u0) both have uid "u0" in target "pods": give each object once per target.',
  );
  expect(await refusal(() => inventory.replaceTarget({ namespace: 'team', name: 'x' }, [item()]))).toBe(
    'Inventory team/all: Pod shop/web (uid u1) is of target "team/pods" and was given for "team/x".',
  );
  expect([inventory.bytes, inventory.reservedBytes]).toEqual(before);
  expect(await uids(inventory)).toEqual(['u1']);
});

test('what is set, deleted or marked while a replacement reads its list is newer than the list', async () => {
  const inventory = make();
  inventory.set(item());
  const replaced = inventory.replaceTarget(pods, [
    item({ attributes: { a: 'listed' } }),
    item({ uid: 'u2', name: 'gone' }),
  ]);
  inventory.set(item({ attributes: { a: 'watched' } }));
  inventory.set(item({ uid: 'u3', name: 'new' }));
  inventory.delete({ target: pods, uid: 'u2' });
  inventory.markIncomplete(pods);
  await replaced;
  const { items: found, incompleteTargets } = await seal(inventory);
  expect(found.map(({ uid, attributes }) => [uid, attributes])).toEqual([
    ['u3', { a: 1 }],
    ['u1', { a: 'watched' }],
  ]);
  expect(incompleteTargets).toEqual(['team/pods']);
});

test('what a replacement has read and not put yet is not counted', async () => {
  const inventory = make();
  inventory.set(item());
  const before = [inventory.size, inventory.bytes];
  const seen: unknown[] = [];
  function* list(): Generator<Item> {
    for (const one of items(3)) {
      yield one;
      seen.push([inventory.size, inventory.bytes]);
    }
  }
  await inventory.replaceTarget(pods, list());
  expect(seen).toEqual([before, before, before]);
  expect(inventory.bytes).toBe((await seal(inventory)).itemsByteLength);
});

test('what other attributes read while a list is read is not taken for what these would read', async () => {
  const inventory = make();
  const [images, names] = [['.spec.image'], ['.metadata.name']];
  function* list() {
    yield pod('1');
    // An event that is read by other attributes comes between two objects of the list.
    inventory.setObject(pod('1', 'a', 'u2'), { target: pods, attributes: names });
    yield pod('1', 'a', 'u3');
    inventory.setObject(pod('1', 'a', 'u4'), { target: pods, attributes: names });
  }
  await inventory.replaceObjects(list(), { target: pods, attributes: images });
  expect(inventory.setObject(pod('1'), { target: pods, attributes: names })).toBe(true);
  const { items: held } = await seal(inventory);
  expect(held.find(({ uid }) => uid === 'u1')?.attributes).toEqual({ '.metadata.name': 'web' });
});

test('a list ends the mark of its target, and an aborted one changes nothing', async () => {
  const inventory = make();
  inventory.markIncomplete(pods);
  const reason = { signal: AbortSignal.abort() };
  expect(await refusal(() => inventory.replaceTarget(pods, items(3), reason), 'ABORTED')).toMatch(/aborted/u);
  expect([inventory.size, inventory.incompleteTargets]).toEqual([0, ['team/pods']]);
  await inventory.replaceTarget(pods, items(3));
  expect([inventory.size, inventory.incompleteTargets]).toEqual([3, []]);
});

test('a seal asked for while a replacement runs holds all of it, and a set after the call of either is kept', async () => {
  const inventory = make();
  const replaced = inventory.replaceTarget(pods, items(5_000));
  const sealed = seal(inventory);
  expect((await sealed).items).toHaveLength(5_000);
  await replaced;
  const next = seal(inventory);
  await Promise.resolve();
  inventory.set(item({ uid: 'later' }));
  await next;
  expect((await seal(inventory)).items).toHaveLength(5_001);
});

test('an aborted seal leaves the inventory as it was', async () => {
  const inventory = make();
  inventory.set(item());
  const aborted = inventory.seal({ generation: 1, signal: AbortSignal.abort() });
  expect(await refusal(() => aborted, 'ABORTED')).toMatch(/aborted/u);
  expect(await uids(inventory)).toEqual(['u1']);
});

test('one object is an item of one target of a name, as in every store', async () => {
  const inventory = make();
  inventory.set(item());
  expect(await refusal(() => inventory.set(item({ targetNamespace: 'other' })))).toBe(
    'Inventory team/all: Pod shop/web (uid u1) is held for target "team/pods" and was given for "other/pods": give each object once per target name.',
  );
  expect(inventory.set(item({ targetName: 'other' }))).toBe(true);
});

test('a bad item is refused when it comes, with what it is', async () => {
  const inventory = make();
  expect(await refusal(() => inventory.set(null as never))).toBe(
    'Inventory team/all, the item: it is null: give a plain object with the fields of an item.',
  );
  expect(await refusal(() => inventory.set(item({ attributes: { a: 2n } })))).toMatch(
    /^Inventory team\/all, Pod shop\/web \(uid u1\): attributes\.a is a bigint/u,
  );
  expect(inventory.size).toBe(0);
});

test('left out, a bad item makes its target incomplete until a good one comes, it is deleted, or a list lacks it', async () => {
  const inventory = make({ onInvalid: 'leave-out' });
  const bad = item({ attributes: { a: Number.NaN } });
  inventory.set(item());
  const ends: readonly (() => unknown)[] = [
    () => inventory.set(item()),
    () => inventory.delete({ target: pods, uid: 'u1' }),
    () => inventory.replaceTarget(pods, []),
    () => inventory.replaceTarget(pods, [item()]),
  ];
  for (const end of ends) {
    expect(inventory.set(bad)).toBe(true);
    expect(inventory.set(bad)).toBe(false);
    const { items: held, incompleteTargets } = await seal(inventory);
    expect([held, incompleteTargets]).toEqual([[], ['team/pods']]);
    await end();
    expect(inventory.incompleteTargets).toEqual([]);
  }
  await inventory.replaceTarget(pods, [bad, item({ uid: 'u2' })]);
  expect([await uids(inventory), inventory.incompleteTargets]).toEqual([['u2'], ['team/pods']]);
  expect(inventory.leftOut.at(-1)?.message).toMatch(/attributes\.a is NaN/u);
  for (let index = 0; index < 300; index++) inventory.set(bad);
  expect(inventory.leftOut).toHaveLength(100);
  expect(await refusal(() => inventory.set(5 as never))).toMatch(/it is a number/u);
});

test('left out, of two items with one uid in a list neither is taken', async () => {
  const inventory = make({ onInvalid: 'leave-out' });
  await inventory.replaceTarget(pods, [
    item(),
    item({ name: 'b', uid: 'u2' }),
    item({ attributes: {} }),
    item({ attributes: { a: 3 } }),
  ]);
  expect([await uids(inventory), inventory.incompleteTargets]).toEqual([['u2'], ['team/pods']]);
});

test('text of the data is replaced where the host asks for it', async () => {
  const inventory = make({ sanitize: true });
  inventory.set(item({ attributes: { a: 'x\0', n: Number.NaN } }));
  expect((await seal(inventory)).items[0]?.attributes).toEqual({ a: 'x�', n: null });
});

test.each<[string, (inventory: Inventory) => unknown, RegExp]>([
  ['options', () => make({ onInvalid: 'leave' as never }), /onInvalid must be "refuse" or "leave-out"/u],
  ['a misspelt option', () => make({ sanitise: true } as never), /sanitise.*did you mean "sanitize"/u],
  ['a scope', () => createInventory({ ...scope, inventoryName: 'a/b' }), /inventoryName/u],
  ['no scope', () => createInventory(undefined as never), /inventoryNamespace/u],
  ['a target', (inventory) => inventory.markIncomplete('pods' as never), /target given to markIncomplete/u],
  ['a key', (inventory) => inventory.delete({ uid: 'u1' } as never), /target is missing/u],
  ['a generation', (inventory) => inventory.seal({ generation: -1 }), /generation is -1/u],
  ['a time', (inventory) => inventory.seal({ generation: 1, exportedAt: '2026-01-31' }), /exportedAt/u],
  ['no list', (inventory) => inventory.replaceTarget(pods, 5 as never), /items given to replaceTarget are a number/u],
  [
    'no options',
    (inventory) => inventory.setObject({}, undefined as never),
    /options of itemFromObject: target is missing/u,
  ],
])('%s that cannot be used is refused', async (_, use, message) => {
  await expect((async () => use(make()))()).rejects.toThrow(message);
});
