import { expect, test } from '@jest/globals';
import type { ApiObject, WatchEvent } from '../api/kubernetes-api.ts';
import { createWatchView } from './watch-view.ts';

const object = (uid: string, resourceVersion: string): ApiObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'shop', name: 'a', uid, resourceVersion },
});
const view = (project: (given: ApiObject) => unknown = (given) => given) =>
  createWatchView({ project, onUnreadable: () => undefined });
const event = (type: WatchEvent['type'], uid: string, version: string): WatchEvent => ({
  type,
  object: object(uid, version),
});

test('where the delete between two objects of one name was missed, it is told first', () => {
  const held = view();
  held.apply(event('ADDED', 'one', '1'));
  const changes = held.apply(event('MODIFIED', 'two', '5'));
  expect(changes.map((change) => [change.kind, 'object' in change && change.object.uid])).toEqual([
    ['delete', 'one'],
    ['set', 'two'],
  ]);
});

test('the delete of an object that was is none of the one that is', () => {
  const held = view();
  held.apply(event('ADDED', 'two', '5'));
  expect(held.apply(event('DELETED', 'one', '6'))).toEqual([]);
  expect(held.get({ namespace: 'shop', name: 'a' })?.uid).toBe('two');
});

test('a version that is held is projected once, whether it comes by list or by event', () => {
  let projected = 0;
  const held = view((given) => {
    projected += 1;
    return given;
  });
  for (let round = 0; round < 3; round += 1) {
    const list = held.startList();
    list.add([object('one', '1')]);
    list.end();
    held.apply(event('MODIFIED', 'one', '1'));
  }
  expect(projected).toBe(1);
});

test('where what is kept is the same as before, nothing is told', () => {
  const held = view(() => 'same');
  expect(held.apply(event('ADDED', 'one', '1'))).toHaveLength(1);
  expect(held.apply(event('MODIFIED', 'one', '2'))).toEqual([]);
  expect(held.objects()).toMatchObject([{ resourceVersion: '2', object: 'same' }]);
  expect(held.apply(event('MODIFIED', 'two', '3'))).toHaveLength(2);
});

test.each([
  ['no uid', { name: 'a', resourceVersion: '1' }],
  ['no version', { name: 'a', uid: 'one' }],
])('what has %s is no object', (_, metadata) => {
  expect(() => view().apply({ type: 'ADDED', object: { metadata } })).toThrow(TypeError);
});
