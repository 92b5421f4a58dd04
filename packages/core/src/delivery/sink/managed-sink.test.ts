import { expect, test } from '@jest/globals';
import type { KollectSink } from '../../contract/sink.ts';
import { applied, codeOf, deferred, failure, fakeDelivery, manualClock, settle } from '../delivery.fixture.ts';
import { createManagedSink } from './managed-sink.ts';

const limits = { sinkType: 'fake', openTimeoutMs: 60_000, abortGraceMs: 1_000, closeTimeoutMs: 5_000 };

function start(members: (index: number) => Partial<KollectSink> = () => ({})) {
  const clock = manualClock();
  const calls: string[] = [];
  let made = 0;
  const notes: string[] = [];
  const create = (): KollectSink => {
    made += 1;
    const index = made;
    const given = members(index);
    const note = (what: string) => calls.push(`${index}:${what}`);
    return {
      open: async (options) => {
        note('open');
        await given.open?.(options);
      },
      export: async (snapshot, options) => {
        note(`export ${snapshot.checksum}`);
        return given.export?.(snapshot, options) ?? applied;
      },
      testConnection: async () => ({ ok: true, steps: [] }),
      close: async () => {
        note('close');
        await given.close?.();
      },
    };
  };
  const blueprint = { ...limits, create };
  const managed = createManagedSink({
    ...blueprint,
    clock,
    onAbandoned: () => notes.push('abandoned'),
    onCloseFailed: ({ code }) => notes.push(code),
  });
  return { managed, clock, calls, blueprint, notes };
}

test('opens once, with the first delivery, however many come at once', async () => {
  const { managed, calls } = start();
  expect(calls).toEqual([]);
  await Promise.all(['a', 'b', 'c'].map((content) => managed.deliver(fakeDelivery(content))));
  await managed.deliver(fakeDelivery('d'));
  expect(calls).toEqual(['1:open', '1:export a', '1:export b', '1:export c', '1:export d']);
});

test('an open that failed fails its deliveries, and is tried again by the next one', async () => {
  let tries = 0;
  const { managed, calls } = start(() => ({
    open: async () => {
      tries += 1;
      if (tries === 1) throw failure('UNAVAILABLE');
    },
  }));
  expect(await Promise.all(['a', 'b'].map((content) => codeOf(managed.deliver(fakeDelivery(content)))))).toEqual([
    'UNAVAILABLE',
    'UNAVAILABLE',
  ]);
  expect(await codeOf(managed.deliver(fakeDelivery('c')))).toBe('resolved');
  expect(calls).toEqual(['1:open', '1:open', '1:export c']);
});

test('who aborts no longer waits for an open that others wait for', async () => {
  const opening = deferred<void>();
  const { managed } = start(() => ({ open: () => opening.promise }));
  const caller = new AbortController();
  const impatient = codeOf(managed.deliver(fakeDelivery('a', 0, caller.signal)));
  const patient = codeOf(managed.deliver(fakeDelivery('b')));
  caller.abort();
  expect(await impatient).toBe('ABORTED');
  opening.resolve();
  expect(await patient).toBe('resolved');
});

test('an open that hangs is aborted in time, abandoned, and the next delivery has a new sink', async () => {
  const { managed, clock, calls, notes } = start((index) =>
    index === 1 ? { open: () => new Promise(() => undefined) } : {},
  );
  const hung = codeOf(managed.deliver(fakeDelivery('a')));
  await clock.advance(61_000);
  expect(await hung).toBe('CONTRACT_VIOLATION');
  await managed.deliver(fakeDelivery('b'));
  expect(calls).toEqual(['1:open', '1:close', '2:open', '2:export b']);
  expect(notes).toEqual(['abandoned']);
});

test('a replaced sink ends what runs, then closes; what comes next has the new one', async () => {
  const running = deferred<typeof applied>();
  const { managed, calls, blueprint } = start((index) => (index === 1 ? { export: () => running.promise } : {}));
  const old = codeOf(managed.deliver(fakeDelivery('a')));
  await settle();
  managed.replace(blueprint);
  await managed.deliver(fakeDelivery('b'));
  expect(calls).toEqual(['1:open', '1:export a', '2:open', '2:export b']);
  running.resolve(applied);
  expect(await old).toBe('resolved');
  await settle();
  expect(calls).toEqual(['1:open', '1:export a', '2:open', '2:export b', '1:close']);
  await managed.close();
  expect(calls.at(-1)).toBe('2:close');
});

test('a sink that ignores its signal is abandoned; others that run on it end before it closes', async () => {
  const slow = deferred<typeof applied>();
  const { managed, clock, calls } = start((index) =>
    index === 1
      ? { export: (snapshot) => (snapshot.checksum === 'stuck' ? new Promise(() => undefined) : slow.promise) }
      : {},
  );
  const caller = new AbortController();
  const stuck = codeOf(managed.deliver(fakeDelivery('stuck', 0, caller.signal)));
  const beside = codeOf(managed.deliver(fakeDelivery('beside')));
  await settle();
  caller.abort();
  await clock.advance(1_000);
  expect(await stuck).toBe('CONTRACT_VIOLATION');
  await managed.deliver(fakeDelivery('next'));
  expect(calls).not.toContain('1:close');
  slow.resolve(applied);
  expect(await beside).toBe('resolved');
  await settle();
  expect(calls).toEqual(['1:open', '1:export stuck', '1:export beside', '2:open', '2:export next', '1:close']);
});

test('close waits for what runs, takes nothing any more, and may come twice', async () => {
  const running = deferred<typeof applied>();
  const { managed, calls } = start(() => ({ export: () => running.promise }));
  const old = codeOf(managed.deliver(fakeDelivery('a')));
  await settle();
  let isClosed = false;
  const closed = Promise.all([managed.close(), managed.close()]).then(() => (isClosed = true));
  expect(await codeOf(managed.deliver(fakeDelivery('b')))).toBe('ABORTED');
  await settle();
  expect([calls.includes('1:close'), isClosed]).toEqual([false, false]);
  running.resolve(applied);
  await closed;
  expect([await old, calls.filter((call) => call === '1:close').length]).toEqual(['resolved', 1]);
});

test('a sink that was never used is not closed, and a close that fails or hangs is told', async () => {
  const unused = start();
  await unused.managed.close();
  expect(unused.calls).toEqual([]);
  const { managed, clock, notes } = start(() => ({ close: () => new Promise(() => undefined) }));
  await managed.deliver(fakeDelivery('a'));
  const closed = managed.close();
  await clock.advance(5_000);
  await closed;
  expect([notes, clock.timers]).toEqual([['CONTRACT_VIOLATION'], 0]);
});

test('a factory that throws fails the delivery', async () => {
  const clock = manualClock();
  const managed = createManagedSink({
    ...limits,
    clock,
    create: () => {
      throw failure('SPEC_INVALID');
    },
  });
  expect(await codeOf(managed.deliver(fakeDelivery('a')))).toBe('SPEC_INVALID');
});
