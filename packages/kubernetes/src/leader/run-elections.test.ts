import { afterEach, expect, test } from '@jest/globals';
import type { DeliveryLogger } from '@kollect/core';
import type { ApiObject } from '../api/kubernetes-api.ts';
import { createFakeApi } from '../testing/fake-api.ts';
import type { FakeApi } from '../testing/fake-api-types.ts';
import { manualClock, settle, type ManualClock } from '../testing/manual-clock.fixture.ts';
import { createLease } from './lease.ts';
import { leaderElection } from './leader-election.ts';
import { runElections } from './run-elections.ts';

const of = { namespace: 'kollect-system', name: 'kollect' };
const quiet = (): void => undefined;
const logger: DeliveryLogger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const stops: AbortController[] = [];
afterEach(() => stops.splice(0).forEach((stop) => stop.abort()));

/** One process: what it told, in order; `drained` lets the end of its term come. */
function start(api: FakeApi, clock: ManualClock, identity: string, { drains = false, skewMs = 0, times = {} } = {}) {
  const told: string[] = [];
  const stop = new AbortController();
  stops.push(stop);
  let drained: () => void = quiet;
  const election = leaderElection({ lease: of.name, namespace: of.namespace, identity, ...times });
  const own = { ...clock, now: () => clock.now() + skewMs };
  const ended = runElections({
    lease: createLease({ api, election, clock: own }),
    election,
    clock: own,
    logger,
    signal: stop.signal,
    startTerm: () => {
      told.push('leads');
      return {
        end: (why) => {
          told.push(why);
          if (!drains || why === 'lost') return Promise.resolve();
          return new Promise<void>((resolve) => void (drained = resolve));
        },
      };
    },
  });
  return { told, stop, ended, drained: () => drained() };
}

const holderOf = (api: FakeApi): unknown => (api.read('Lease', of) as { spec?: object } & ApiObject)?.['spec'];

test('one of two leads, and the other takes over a lease duration after the first fell silent', async () => {
  const clock = manualClock();
  const api = createFakeApi({ clock });
  const first = start(api, clock, 'a');
  await settle();
  const second = start(api, clock, 'b');
  await clock.advance(60_000);
  expect(first.told).toEqual(['leads']);
  expect(second.told).toEqual([]);
  expect(holderOf(api)).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 });

  // As after kill -9: the first says nothing any more.
  const mute = api.fail({ kind: 'silence' }, { verb: 'replace' });
  await clock.advance(9_000);
  expect([first.told, second.told]).toEqual([['leads'], []]);
  await clock.advance(4_000);
  expect(first.told).toEqual(['leads', 'lost']);
  expect(second.told).toEqual([]);
  mute();
  await clock.advance(20_000);
  expect([...first.told.slice(2), ...second.told]).toEqual(['leads']);
});

test('an abort releases the lease, once the term has ended, and until then it is renewed', async () => {
  const clock = manualClock();
  const api = createFakeApi({ clock });
  const first = start(api, clock, 'a', { drains: true });
  await settle();
  const second = start(api, clock, 'b');
  await clock.advance(4_000);
  first.stop.abort();
  await clock.advance(60_000);
  expect(first.told).toEqual(['leads', 'stopping']);
  expect(second.told).toEqual([]);
  first.drained();
  await first.ended;
  expect(holderOf(api)).toMatchObject({ holderIdentity: '' });
  await clock.advance(3_000);
  expect(second.told).toEqual(['leads']);
  expect(holderOf(api)).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
});

test('a lease that is lost while its holder stops ends at once what still drains', async () => {
  const clock = manualClock();
  const api = createFakeApi({ clock });
  const first = start(api, clock, 'a', { drains: true });
  await clock.advance(1_000);
  first.stop.abort();
  await clock.advance(1_000);
  api.fail({ kind: 'reset' });
  await clock.advance(12_000);
  await first.ended;
  expect(first.told).toEqual(['leads', 'stopping', 'lost']);
});

test('a lease that somebody else took is lost at once, and regained when it is free', async () => {
  const clock = manualClock();
  const api = createFakeApi({ clock });
  const first = start(api, clock, 'a');
  await clock.advance(1_000);
  const lease = api.read('Lease', of) as ApiObject;
  api.put({ ...lease, spec: { ...(lease['spec'] as object), holderIdentity: 'b' } });
  await clock.advance(3_000);
  expect(first.told).toEqual(['leads', 'lost']);
  await clock.advance(20_000);
  expect(first.told).toEqual(['leads', 'lost', 'leads']);
});

test('a lease counts from when it was asked for: an answer that comes late makes nobody lead longer', async () => {
  const clock = manualClock();
  const api = createFakeApi({ clock });
  const slow: FakeApi = {
    ...api,
    create: async (...given) => {
      const made = await api.create(...given);
      await new Promise<void>((resolve) => clock.setTimeout(resolve, 9_000));
      return made;
    },
    replace: () => new Promise(() => undefined),
  };
  const first = start(slow, clock, 'a');
  await settle();
  const second = start(api, clock, 'b');
  await clock.advance(9_500);
  expect(first.told).toEqual(['leads']);
  while (second.told.length === 0) await clock.advance(100);
  expect(first.told).toEqual(['leads', 'lost']);
});

test('whoever cannot renew stops before others begin, however long it waits between two calls', async () => {
  const clock = manualClock();
  const api = createFakeApi({ clock });
  const deaf: FakeApi = { ...api, replace: () => Promise.reject(new Error('No.')) };
  const first = start(deaf, clock, 'a', { times: { renewDeadline: '14s', retryPeriod: '13s' } });
  await settle();
  const second = start(api, clock, 'b');
  while (second.told.length === 0) await clock.advance(100);
  expect(first.told).toEqual(['leads', 'lost']);
});

test('the times that are written in a lease count for nothing: clocks may differ', async () => {
  for (const skewMs of [-3_600_000, 3_600_000]) {
    const clock = manualClock();
    const api = createFakeApi({ clock });
    const first = start(api, clock, 'a');
    await settle();
    const second = start(api, clock, 'b', { skewMs });
    await clock.advance(120_000);
    expect([first.told, second.told]).toEqual([['leads'], []]);
  }
});

test.each([
  ['no spec', undefined],
  ['a text', 'x'],
  ['nonsense', { holderIdentity: 7, leaseDurationSeconds: 'x', leaseTransitions: -1.5, renewTime: 'never' }],
  ['a duration of a thousand years', { holderIdentity: 'z', leaseDurationSeconds: 3e10 }],
])('a lease with %s is taken, an hour later at most', async (_, spec) => {
  const clock = manualClock();
  const api = createFakeApi({ clock });
  api.put({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: of, spec });
  const first = start(api, clock, 'a');
  await clock.advance(3_700_000);
  expect(first.told).toEqual(['leads']);
});

test('two that take a free lease at the same time are not both leaders', async () => {
  const clock = manualClock();
  const api = createFakeApi({ clock });
  const all = ['a', 'b', 'c'].map((identity) => start(api, clock, identity));
  await clock.advance(60_000);
  expect(all.flatMap(({ told }) => told)).toEqual(['leads']);
});

test.each([
  [{ leaseDuration: '5s' }, 'renewDeadline must be less than leaseDuration'],
  [{ retryPeriod: '10s' }, 'retryPeriod must be more than 0 and less than renewDeadline'],
  [{ leaseDuration: '2h' }, 'leaseDuration must be from 1s to 1h'],
  [{ identity: '' }, 'identity must be text that is not empty'],
])('options %j are refused', (options, problem) => {
  expect(() => leaderElection({ lease: 'kollect', namespace: 'kollect-system', ...options })).toThrow(problem);
});
