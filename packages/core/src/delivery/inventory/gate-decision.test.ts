import { expect, test } from '@jest/globals';
import { fakeSnapshot } from '../delivery.fixture.ts';
import { decide, summarise, type GateRules } from './gate-decision.ts';

const sent = { summary: summarise(fakeSnapshot('a', 0)), at: 1_000_000 };
const rules: GateRules = { exportMinIntervalMs: 30_000, minChangeIntervalMs: 0 };
const after = (ms: number, snapshot = fakeSnapshot('a', 9), changes: Partial<GateRules> = {}) =>
  decide(snapshot, sent, { ...rules, ...changes }, sent.at + ms);

test('the first one passes', () => {
  expect(decide(fakeSnapshot('a', 0), undefined, rules, 0)).toBe('pass');
});

test('an identical one passes again once the interval is over, and never where that is 0s', () => {
  expect([after(0), after(29_999), after(30_000)]).toEqual(['identical', 'identical', 'pass']);
  expect(after(1_000_000_000, fakeSnapshot('a', 9), { exportMinIntervalMs: 0 })).toBe('identical');
});

test.each([
  ['checksum', fakeSnapshot('b', 9)],
  ['generation', fakeSnapshot('a', 9, { generation: 2 })],
  ['incomplete targets', fakeSnapshot('a', 9, { incompleteTargets: ['pods'] })],
])('another %s passes at once', (_, snapshot) => {
  expect(after(0, snapshot)).toBe('pass');
  expect(after(0, snapshot, { exportMinIntervalMs: 0 })).toBe('pass');
});

test('what the host calls immaterial waits for the interval', () => {
  const isMaterialChange = (
    previous: { readonly generation: number; readonly itemCount: number },
    next: { readonly generation: number },
  ) => next.generation !== previous.generation;
  expect(after(10_000, fakeSnapshot('b', 9), { isMaterialChange })).toEqual({ waitMs: 20_000 });
  expect(after(30_000, fakeSnapshot('b', 9), { isMaterialChange })).toBe('pass');
  expect(after(0, fakeSnapshot('b', 9, { generation: 2 }), { isMaterialChange })).toBe('pass');
  expect(after(0, fakeSnapshot('b', 9), { isMaterialChange, exportMinIntervalMs: 0 })).toBe('pass');
});

test('even a material change waits for minChangeInterval', () => {
  expect(after(4_000, fakeSnapshot('b', 9), { minChangeIntervalMs: 5_000 })).toEqual({ waitMs: 1_000 });
  expect(after(5_000, fakeSnapshot('b', 9), { minChangeIntervalMs: 5_000 })).toBe('pass');
  expect(after(40_000, fakeSnapshot('b', 9), { minChangeIntervalMs: 60_000, isMaterialChange: () => false })).toEqual({
    waitMs: 20_000,
  });
});

test('a clock that went back does not shut the gate', () => {
  expect(after(-3_600_000)).toBe('pass');
  expect(after(-3_600_000, fakeSnapshot('b', 9), { isMaterialChange: () => false })).toBe('pass');
});

test('what is kept of a snapshot has no items', () => {
  expect(summarise(fakeSnapshot('a', 0))).toEqual({ ...fakeSnapshot('a', 0), items: undefined, itemCount: 0 });
  expect(summarise(fakeSnapshot('a', 0))).not.toHaveProperty('items');
});
