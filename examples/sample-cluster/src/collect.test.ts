import { readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { changeObjects } from './change-objects.ts';
import { collect, derivedUid, withoutSecrets } from './collect.ts';
import { loadManifests } from './load-manifests.ts';

const manifests = new URL('../manifests', import.meta.url);
const { objects } = await loadManifests(manifests.pathname);
const at = { generation: 1, exportedAt: new Date('2026-01-31T12:00:00Z') };

describe('the sample cluster', () => {
  test('is a realistic one, without a Secret', () => {
    expect(readdirSync(manifests).length).toBeGreaterThanOrEqual(15);
    expect(objects.length).toBeGreaterThanOrEqual(100);
    expect(new Set(objects.map(({ apiVersion, kind }) => `${apiVersion}/${kind}`)).size).toBeGreaterThanOrEqual(25);
    expect(objects.filter(({ kind }) => kind === 'Secret')).toEqual([]);
    expect(JSON.stringify(objects)).toMatch(/日本|決済/u);
    const longest = objects.map(({ metadata }) => Buffer.byteLength(JSON.stringify(metadata))).sort((a, b) => b - a);
    expect(longest[1]).toBeGreaterThan(10_000);
  });

  test('makes the same snapshot every time', async () => {
    const first = await collect(objects, at);
    expect(first.items).toHaveLength(objects.length);
    expect((await collect(objects.toReversed(), at)).checksum).toBe(first.checksum);
  });
});

test('a uid is derived where there is none, and is a UUID of version 5', async () => {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'a', name: 'b' } };
  expect(derivedUid(pod)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u);
  expect(derivedUid({ ...pod, kind: 'Job' })).not.toBe(derivedUid(pod));
  const { items } = await collect([pod, { ...pod, metadata: { name: 'c', uid: 'given' } }], at);
  expect(items.map(({ uid }) => uid).sort()).toEqual([derivedUid(pod), 'given'].sort());
});

test('Secrets are left out, and nothing else is', () => {
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } };
  const sealed = { apiVersion: 'bitnami.com/v1alpha1', kind: 'Secret', metadata: { name: 's' } };
  expect(withoutSecrets([secret, sealed])).toEqual([sealed]);
});

describe('the change of the cluster', () => {
  const pods = (count: number) =>
    Array.from({ length: count }, (_, index) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `pod-${index}` },
    }));

  test.each([
    [1, { same: 0, changed: 1, removed: 0 }],
    [4, { same: 0, changed: 3, removed: 1 }],
    [10, { same: 5, changed: 3, removed: 2 }],
  ])('of %i objects', (count, expected) => {
    const before = pods(count);
    const after = changeObjects(before);
    const kept = before.filter(({ metadata }) => after.some((object) => object.metadata.name === metadata.name));
    const same = before.filter((object) => after.includes(object));
    expect({ same: same.length, changed: kept.length - same.length, removed: count - kept.length }).toEqual(expected);
    expect(after).toHaveLength(kept.length + 1);
  });
});
