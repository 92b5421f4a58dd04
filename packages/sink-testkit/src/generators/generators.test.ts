import { describe, expect, test } from '@jest/globals';
import { evolve } from './evolve.ts';
import { makeItems } from './make-items.ts';
import { makeSnapshot } from './make-snapshot.ts';
import { createRandom } from './random.ts';

describe('makeItems', () => {
  test('makes the same items of the same seed, and others of another', () => {
    expect(makeItems({ count: 20, seed: 5 })).toEqual(makeItems({ count: 20, seed: 5 }));
    const uids = [1, 2, 3].flatMap((seed) => makeItems({ count: 500, seed }).map(({ uid }) => uid));
    expect(new Set(uids).size).toBe(1500);
  });

  test('makes what a cluster holds: several kinds, cluster-scoped objects, the core group, text beyond ASCII', () => {
    const items = makeItems({ count: 300 });
    expect(new Set(items.map(({ kind }) => kind)).size).toBeGreaterThan(8);
    expect(items.some(({ namespace }) => namespace === '')).toBe(true);
    expect(items.some(({ group }) => group === undefined)).toBe(true);
    expect(JSON.stringify(items)).toMatch(/[^\u0020-\u007e]/u);
    expect(items.every(({ uid }) => /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(uid))).toBe(true);
  });

  test('gives the targets their items in turn, and each item its least size', () => {
    const items = makeItems({ count: 10, targets: ['a', 'b', 'c'], bytes: 5000 });
    expect(items.map(({ targetName }) => targetName).join('')).toBe('abcabcabca');
    for (const { attributes } of items) {
      const size = Buffer.byteLength(JSON.stringify(attributes));
      expect(size).toBeGreaterThanOrEqual(5000);
      expect(size).toBeLessThan(5100);
    }
  });
});

describe('evolve', () => {
  const items = makeItems({ count: 30 });

  const steps = [
    { changed: 0, removed: 0, added: 0 },
    { changed: 5, removed: 7, added: 3 },
    { changed: 0, removed: 30, added: 30 },
    { changed: 30, removed: 0, added: 0 },
  ];
  test.each(steps)('changes, removes and adds as many as it was told: %p', ({ changed, removed, added }) => {
    const before = JSON.stringify(items);
    const next = evolve(items, { changed, removed, added });
    const old = new Map(items.map((item) => [item.uid, JSON.stringify(item)]));
    const kept = next.filter(({ uid }) => old.has(uid));
    expect(kept.filter((item) => old.get(item.uid) !== JSON.stringify(item))).toHaveLength(changed);
    expect(kept).toHaveLength(items.length - removed);
    expect(next).toHaveLength(items.length - removed + added);
    expect(evolve(items, { changed, removed, added })).toEqual(next);
    expect(JSON.stringify(items)).toBe(before);
  });

  test('adds new items at every step of a long life', () => {
    let living = makeItems({ count: 10 });
    for (let seed = 0; seed < 50; seed += 1) living = evolve(living, { changed: 2, removed: 3, added: 3, seed });
    expect(new Set(living.map(({ uid }) => uid)).size).toBe(10);
  });

  test('refuses to change and remove more than there is', () => {
    expect(() => evolve(items, { changed: 20, removed: 11 })).toThrow(RangeError);
  });
});

describe('makeSnapshot', () => {
  test('seals what it was given, and makes up the rest', async () => {
    const snapshot = await makeSnapshot({
      cluster: 'east',
      items: makeItems({ count: 3 }),
      incompleteTargets: ['network'],
    });
    expect(snapshot).toMatchObject({
      cluster: 'east',
      inventoryNamespace: 'platform',
      inventoryName: 'workloads',
      incompleteTargets: ['network'],
    });
    expect(snapshot.items).toHaveLength(3);
    expect((await makeSnapshot({ count: 4 })).checksum).toBe(
      (await makeSnapshot({ count: 4, inventoryName: 'other' })).checksum,
    );
    expect((await makeSnapshot({ seed: 1 })).checksum).not.toBe((await makeSnapshot({ seed: 2 })).checksum);
  });
});

test('a sample holds each number at most once', () => {
  for (const [count, bound] of [
    [0, 5],
    [5, 5],
    [3, 100],
    [9, 4],
  ] as const) {
    const sample = createRandom(7).sample(count, bound);
    expect(new Set(sample).size).toBe(Math.min(count, bound));
    expect(sample.every((drawn) => drawn >= 0 && drawn < bound)).toBe(true);
  }
});
