import { expect, test } from '@jest/globals';
import { settle } from '../delivery.fixture.ts';
import { createSlots } from './slots.ts';

function start(total: number, sinks = 1) {
  const slots = createSlots({ total, sinks: () => sinks });
  const order: string[] = [];
  const ends = new Map<string, () => void>();
  const ask = (name: string, sink = 'sink', most = 4) =>
    slots.request(sink, most, () => {
      order.push(name);
      return new Promise((resolve) => ends.set(name, resolve));
    });
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    await settle();
  };
  return { slots, order, ask, end };
}

test('as many run as there is room at the sink and in all', async () => {
  const { slots, order, ask, end } = start(3);
  for (const name of ['a1', 'a2', 'a3']) ask(name, 'a', 2);
  expect(order).toEqual(['a1', 'a2']);
  for (const name of ['b1', 'b2']) ask(name, 'b', 2);
  expect([order, slots.running, slots.waiting]).toEqual([['a1', 'a2', 'b1'], 3, 2]);
  await end('b1');
  expect(order).toEqual(['a1', 'a2', 'b1', 'b2']);
  await end('a1');
  expect([order, slots.running, slots.waiting]).toEqual([['a1', 'a2', 'b1', 'b2', 'a3'], 3, 0]);
  for (const name of ['a2', 'a3', 'b2']) await end(name);
  expect([slots.running, slots.waiting]).toEqual([0, 0]);
});

test('sinks that hang leave a slot to each that runs nothing', async () => {
  const { order, ask, end } = start(4, 3);
  for (const name of ['a1', 'a2', 'a3', 'a4']) ask(name, 'a');
  expect(order).toEqual(['a1', 'a2']);
  for (const name of ['b1', 'b2', 'b3', 'b4']) ask(name, 'b');
  expect(order).toEqual(['a1', 'a2', 'b1']);
  for (const name of ['c1', 'c2']) ask(name, 'c');
  expect(order).toEqual(['a1', 'a2', 'b1', 'c1']);
  await end('c1');
  expect(order.slice(4)).toEqual(['c2']);
});

test('for sinks that run nothing half of the slots are kept at most', async () => {
  const { order, ask, end } = start(4, 1000);
  for (const name of ['a1', 'a2', 'a3']) ask(name, 'a');
  for (const name of ['b1', 'b2']) ask(name, 'b');
  expect(order).toEqual(['a1', 'a2', 'b1']);
  await end('b1');
  expect(order.slice(3)).toEqual(['b2']);
  for (const name of ['a1', 'a2']) await end(name);
  expect(order.slice(4)).toEqual(['a3']);
});

test('a sink with many requests leaves the others their turn', async () => {
  const { order, ask, end } = start(1);
  ask('first', 'a');
  for (const name of ['a1', 'a2', 'a3']) ask(name, 'a');
  ask('b1', 'b');
  for (const name of ['first', 'a1', 'b1', 'a2']) await end(name);
  expect(order).toEqual(['first', 'a1', 'b1', 'a2', 'a3']);
});

test('an inventory that asks again as soon as it was served comes after all others', async () => {
  const { order, ask, end } = start(1);
  ask('huge');
  for (let index = 0; index < 499; index += 1) ask(`small${index}`);
  // What the queue of the huge one does: a newer snapshot waits already when the export ends.
  ask('huge again');
  await end('huge');
  for (let index = 0; index < 499; index += 1) await end(`small${index}`);
  expect(order).toHaveLength(501);
  expect(order.at(-1)).toBe('huge again');
});

test('a request can be taken back, once and before its start', async () => {
  const { slots, order, ask, end } = start(1);
  ask('a');
  const withdraw = ask('b');
  ask('c');
  withdraw();
  withdraw();
  expect(slots.waiting).toBe(1);
  await end('a');
  expect(order).toEqual(['a', 'c']);
});
