import { expect, test } from '@jest/globals';
import { SinkError, sinkErrorCodes } from '@kollect/core';
import type { ApiObject } from '../api/kubernetes-api.ts';
import { createFakeApi } from '../testing/fake-api.ts';
import { manualClock } from '../testing/manual-clock.fixture.ts';
import { because, causeOf, judge } from './conditions.ts';
import { threeConditions } from './health-judgements.ts';
import { reasonOf, textOfReason } from './reasons.ts';
import { createStatusWriter, type Flip, type WantedStatus } from './status-writer.ts';

const type = {
  apiVersion: 'kollect.dev/v1alpha1',
  kind: 'KollectInventory',
  plural: 'kollectinventories',
  namespaced: true,
};
const of = { namespace: 'shop', name: 'portal' };
const ready = judge('Ready', 'True', because('Accepted'));
const refused = judge('Ready', 'False', because('SinkNotFound'));

function start() {
  const clock = manualClock();
  const api = createFakeApi({ clock });
  api.put({ apiVersion: type.apiVersion, kind: type.kind, metadata: of, spec: {} });
  const flips: Flip[] = [];
  const { signal } = new AbortController();
  const writer = createStatusWriter({ api, timeOfDay: clock.now, signal, onFlip: (flip) => void flips.push(flip) });
  const current = () => api.read('KollectInventory', of) as ApiObject;
  const write = (wanted: WantedStatus, object = current()) => writer.write(type, object, wanted);
  return { clock, api, flips, current, write };
}

test('what means the same is not written again, and a time of transition changes with the status alone', async () => {
  const { clock, api, current, write, flips } = start();
  await write({ conditions: [ready] });
  const at = '2026-01-31T12:00:00Z';
  expect(current()['status']).toEqual({ conditions: [{ ...ready, lastTransitionTime: at }] });
  await clock.advance(100_000);
  await write({ conditions: [ready] });
  expect(api.writes()).toHaveLength(1);
  const suspended = { ...ready, reason: 'Suspended' as const };
  await write({ conditions: [suspended] });
  expect(current()['status']).toEqual({ conditions: [{ ...suspended, lastTransitionTime: at }] });
  await write({ conditions: [refused] });
  expect(current()['status']).toMatchObject({ conditions: [{ lastTransitionTime: '2026-01-31T12:01:40Z' }] });
  expect(flips.map(({ condition: { status }, was }) => [status, was])).toEqual([
    ['True', undefined],
    ['False', 'True'],
  ]);
});

test('numbers that change alone wait until a minute has passed, and go with what is more', async () => {
  const { clock, api, current, write } = start();
  const at = (items: number, conditions = [ready]): WantedStatus => ({ items, conditions });
  await write(at(1));
  expect(await write(at(2))).toBe(60_000);
  await clock.advance(20_000);
  expect(await write(at(3))).toBe(40_000);
  expect(api.writes()).toHaveLength(1);
  await write(at(4, [refused]));
  expect(current()['status']).toMatchObject({ items: 4 });
  await clock.advance(60_000);
  expect(await write(at(5))).toBeUndefined();
  expect(current()['status']).toMatchObject({ items: 5 });
});

test('what is no longer said goes, and whatever stood there before is taken as it is', async () => {
  const { api, current, write } = start();
  for (const status of [5, 'x', [1], { conditions: 'x', sinks: [null, 7], old: 1 }]) {
    api.put({ ...current(), status });
    await write({ conditions: [ready], sinks: [{ name: 'a', conditions: [ready] }] });
    expect(current()['status']).toMatchObject({ conditions: [ready], sinks: [{ name: 'a', conditions: [ready] }] });
    expect(current()['status']).not.toHaveProperty('old');
  }
});

test('an object that was deleted, or made anew under its name, is not written', async () => {
  const { api, current, write } = start();
  const old = current();
  api.remove('KollectInventory', of);
  await write({ conditions: [ready] }, old);
  api.put({ apiVersion: type.apiVersion, kind: type.kind, metadata: of, spec: {} });
  await write({ conditions: [ready] }, old);
  expect(current()['status']).toBeUndefined();
});

test('an object that was just written is not written again before its watch has told of it', async () => {
  const { api, current, write } = start();
  const seen = current();
  await write({ conditions: [ready] }, seen);
  await write({ conditions: [ready] }, seen);
  expect(api.writes()).toHaveLength(1);
});

test('each code has a reason and a text, and one that the operator denies is told from an unreachable one by neither', () => {
  const reasons = new Set(sinkErrorCodes.map(reasonOf));
  expect(reasons.size).toBe(sinkErrorCodes.length - 1);
  for (const reason of reasons) {
    expect(reason).toMatch(/^([A-Z][a-z]+)+$/u);
    expect(textOfReason(reason).length).toBeGreaterThan(20);
  }
  expect(causeOf(new SinkError('EGRESS_DENIED', '10.0.0.1 is denied'))).toEqual(
    causeOf(new SinkError('UNAVAILABLE', 'db.shop refused')),
  );
});

test('a message is at most 256 characters, and of a store nothing is in it', () => {
  const long = causeOf(new SinkError('SPEC_INVALID', `spec ${'😀'.repeat(400)}`));
  expect(Array.from(long.message)).toHaveLength(256);
  expect(causeOf(new SinkError('CONFLICT', 'owned by cluster "secret-name"')).message).not.toContain('secret-name');
  expect(causeOf(new TypeError('password is hunter2')).message).not.toContain('hunter2');
});

test('what cannot be used is not synced, what is not tried is neither', () => {
  const words = (...given: Parameters<typeof threeConditions>): string =>
    threeConditions(...given)
      .map(({ type: name, status, reason }) => `${name}=${status} ${reason}`)
      .join(', ');
  expect(words(undefined, { kind: 'synced' })).toBe(
    'Ready=True Accepted, Synced=True Delivered, Degraded=False AsExpected',
  );
  expect(words(undefined, { kind: 'pending', cause: because('Pending') })).toBe(
    'Ready=True Accepted, Synced=Unknown Pending, Degraded=False AsExpected',
  );
  expect(words(undefined, { kind: 'failed', cause: causeOf(new SinkError('TIMEOUT', 'x')) })).toBe(
    'Ready=True Accepted, Synced=False Timeout, Degraded=True Timeout',
  );
  expect(words(because('TypeNotAllowed'), { kind: 'synced' })).toBe(
    'Ready=False TypeNotAllowed, Synced=False TypeNotAllowed, Degraded=True TypeNotAllowed',
  );
});
