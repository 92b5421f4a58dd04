import { expect, test } from '@jest/globals';
import { mergeItems } from './merge-items.ts';
import type { ItemIdentity } from './snapshot.ts';

const item = (targetName: string, uid: string, version = 'v1'): ItemIdentity => ({
  targetNamespace: 'team',
  targetName,
  namespace: 'shop',
  name: uid,
  version,
  kind: 'Deployment',
  uid,
});
const names = (items: Iterable<ItemIdentity>): string[] =>
  [...items].map(({ targetName, uid, version }) => `${targetName}/${uid}@${version}`);

test('keeps what an incomplete target lacks, and nothing of a complete one', () => {
  const previous = [item('cut', 'a'), item('cut', 'b'), item('whole', 'c')];
  const partial = { items: [item('cut', 'a', 'v2'), item('whole', 'd')], incompleteTargets: ['cut'] };
  expect(names(mergeItems(partial, previous))).toEqual(['cut/a@v2', 'cut/b@v1', 'whole/d@v1']);
});

test('puts what it keeps into canonical order', () => {
  const merged = mergeItems({ items: [item('b', '1')], incompleteTargets: ['a', 'c'] }, [
    item('c', '1'),
    item('a', '1'),
  ]);
  expect(names(merged)).toEqual(['a/1@v1', 'b/1@v1', 'c/1@v1']);
});

test('gives the items themselves where all targets are complete', () => {
  const items = [item('cut', 'a')];
  expect(mergeItems({ items }, [item('cut', 'b')])).toBe(items);
});

test('takes the namespace of a target where the name says it', () => {
  const elsewhere = { ...item('cut', 'b'), targetNamespace: 'other' };
  const merged = mergeItems({ items: [], incompleteTargets: ['team/cut'] }, [item('cut', 'a'), elsewhere]);
  expect(names(merged)).toEqual(['cut/a@v1']);
});

test('the same UID in two targets is two items', () => {
  const merged = mergeItems({ items: [item('x', 'a')], incompleteTargets: ['x', 'y'] }, [
    item('x', 'a'),
    item('y', 'a'),
  ]);
  expect(names(merged)).toEqual(['x/a@v1', 'y/a@v1']);
});
