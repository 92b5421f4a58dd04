import { expect, test } from '@jest/globals';
import { item, refusal, seal } from '../contract.fixture.ts';
import { incompleteTargetTest, unlistedTargets } from './incomplete-targets.ts';
import { mergeItems } from './merge-items.ts';

const podsOf = (targetNamespace: string, uid: string) => item({ targetNamespace, targetName: 'pods', uid, name: uid });

test('a target is named with its namespace, or bare for every namespace', () => {
  const isIncomplete = incompleteTargetTest(['team-a/pods', 'nodes']);
  expect(isIncomplete(podsOf('team-a', 'u1'))).toBe(true);
  expect(isIncomplete(podsOf('team-b', 'u2'))).toBe(false);
  expect(isIncomplete(item({ targetNamespace: 'team-b', targetName: 'nodes' }))).toBe(true);
});

test('of two targets of one name the incomplete one alone keeps what it lacks', async () => {
  const previous = [podsOf('team-a', 'u1'), podsOf('team-b', 'u2')];
  const partial = await seal({ items: [], incompleteTargets: ['team-a/pods'] });
  expect(mergeItems({ ...partial, items: [] }, previous).map(({ uid }) => uid)).toEqual(['u1']);
});

test('a bare name that items of several namespaces have is refused with the names to choose from', async () => {
  const items = [podsOf('team-a', 'u1'), podsOf('team-b', 'u2')];
  expect(await refusal(() => seal({ items, incompleteTargets: ['pods'] }))).toBe(
    'Inventory team/all: incompleteTargets names "pods", which several namespaces have: say "team-a/pods" or "team-b/pods".',
  );
  expect((await seal({ items, incompleteTargets: ['team-a/pods'] })).incompleteTargets).toEqual(['team-a/pods']);
});

test('names without an item are told', async () => {
  const snapshot = await seal({
    items: [podsOf('team-a', 'u1')],
    incompleteTargets: ['team-a/pods', 'pods', 'podz', 'x/pods'],
  });
  expect(unlistedTargets(snapshot)).toEqual(['podz', 'x/pods']);
});
