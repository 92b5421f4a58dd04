import { afterEach, expect, test } from '@jest/globals';
import { memorySink, type Egress, type SinkDefinition } from '@kollect/core';
import { leaderElection } from '../leader/leader-election.ts';
import type { OperatorOptions } from './operator-types.ts';
import { createOperator } from './operator.ts';
import { applySample, createWorld, deployment, faultySink, type World } from './operator.fixture.ts';

const worlds: World[] = [];
const world = (...options: Parameters<typeof createWorld>): World => {
  const one = createWorld(...options);
  worlds.push(one);
  return one;
};
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((each) => each.close()));
});

const leader = (identity: string) => leaderElection({ lease: 'kollect', namespace: 'kollect-system', identity });

test('of two operators one works, and the other takes over what the first let go', async () => {
  const one = world();
  applySample(one);
  const first = one.start({ leader: leader('a') });
  await one.until('two rows', () => one.rows()?.length === 2);
  const second = one.start({ leader: leader('b') });
  await one.clock.advance(30_000);
  expect([first.health, second.health]).toEqual([
    { live: true, ready: true, leading: true },
    { live: true, ready: true, leading: false },
  ]);
  let closed = false;
  void first.close().then(() => (closed = true));
  await one.until('the end', () => closed);
  one.api.remove('Deployment', { namespace: 'shop', name: 'web' });
  await one.until('one row', () => one.rows()?.join() === 'cart');
  expect(second.health.leading).toBe(true);
  expect(first.health).toEqual({ live: false, ready: false, leading: false });
});

test('a leader that lost the lease exports nothing any more, what it had begun is fenced, and it leads again later', async () => {
  const faulty = faultySink();
  let late: (() => Promise<unknown>) | undefined;
  /** The first export of the first operator is held back, and made after the second one has exported. */
  const holding = (definition: SinkDefinition): SinkDefinition => ({
    ...definition,
    create: (context) => {
      const sink = definition.create(context);
      return {
        ...sink,
        export: async (snapshot, options) => {
          if (late !== undefined) return sink.export(snapshot, options);
          late = () =>
            definition.create(context).export(snapshot, { ...options, signal: new AbortController().signal });
          return new Promise((_, reject) => {
            options.signal.addEventListener('abort', () => reject(options.signal.reason as Error), { once: true });
          });
        },
      };
    },
  });
  const one = world({ wrap: (definition) => holding(faulty.wrap(definition)) });
  applySample(one);
  const first = one.start({ leader: leader('a') });
  await one.until('an export under way', () => late !== undefined);
  const lost = one.api.fail({ kind: 'silence' }, { plural: 'leases', verb: 'replace' });
  await one.until('lost', () => !first.health.leading);
  lost();
  const second = one.start({ leader: leader('b') });
  one.api.put(deployment('new'));
  // Whichever of the two leads now.
  await one.until('three rows', () => one.rows()?.length === 3);
  expect(Number(first.health.leading) + Number(second.health.leading)).toBe(1);
  expect(await late?.()).toMatchObject({ outcome: 'superseded' });
  expect(one.rows()).toEqual(['cart', 'new', 'web']);
});

test('an API server that gets another address while somebody leads is denied there, too', async () => {
  let egress: Egress | undefined;
  const noting = (definition: SinkDefinition): SinkDefinition => ({
    ...definition,
    create: (context) => {
      ({ egress } = context);
      return definition.create(context);
    },
  });
  const address = '203.0.113.1';
  const isDenied = (): boolean => {
    try {
      egress?.check(address);
      return false;
    } catch {
      return true;
    }
  };
  const one = world({ wrap: noting });
  applySample(one);
  one.start({ leader: leader('a'), egress: {} });
  await one.until('two rows', () => one.rows()?.length === 2);
  expect([egress === undefined, isDenied()]).toEqual([false, false]);
  const metadata = { namespace: 'default', name: 'kubernetes' };
  one.api.put({ apiVersion: 'v1', kind: 'Service', metadata, spec: { clusterIPs: [address] } });
  await one.until('denied', isDenied, 1_200_000);
});

test('a process that waits for the lease is ready as long as the API server answers', async () => {
  const one = world();
  one.start({ leader: leader('a') });
  await one.clock.advance(5_000);
  const second = one.start({ leader: leader('b') });
  await one.clock.advance(5_000);
  expect(second.health.ready).toBe(true);
  one.api.fail({ kind: 'reset' });
  await one.clock.advance(15_000);
  expect(second.health).toEqual({ live: true, ready: false, leading: false });
});

test('an operator that is still delivering when it loses the lease ends at once', async () => {
  const faulty = faultySink();
  const one = world({ wrap: faulty.wrap });
  applySample(one);
  faulty.hangs = true;
  const first = one.start({ leader: leader('a'), closeDeadline: '10m' });
  await one.until('an export under way', () => faulty.calls > 0);
  let closed = false;
  void first.close().then(() => (closed = true));
  await one.clock.advance(5_000);
  expect(closed).toBe(false);
  one.api.fail({ kind: 'silence' }, { plural: 'leases' });
  await one.until('the end', () => closed, 20_000);
});

test.each([
  ['SPEC_INVALID', { limits: { maxWait: 5 } }, /maxWait/u],
  ['SPEC_INVALID', { secretRefresh: 'soon' }, /secretRefresh/u],
  ['SPEC_INVALID', { resync: '0s' }, /resync/u],
  ['SPEC_INVALID', { hostIdentity: [{ types: 5 }] }, /hostIdentity/u],
  ['SPEC_INVALID', { egress: { dial: () => undefined } }, /egress/u],
  ['CONTRACT_VIOLATION', { sinks: [memorySink(), memorySink()] }, /memory/u],
])(
  'what a process would find wrong when it begins to lead is refused before it waits: %s, %p',
  (code, wrong, message) => {
    const one = world();
    const options = { api: one.api, sinks: [memorySink()], leader: leader('a'), ...wrong };
    expect(() => createOperator(options as OperatorOptions)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) as unknown }),
    );
  },
);
