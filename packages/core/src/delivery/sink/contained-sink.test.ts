import { getEventListeners } from 'node:events';
import { expect, test } from '@jest/globals';
import { SinkError } from '../../contract/errors/errors.ts';
import type { KollectSink } from '../../contract/sink.ts';
import { containSink } from './contained-sink.ts';
import { applied, failure, fakeSnapshot, manualClock, settle } from '../delivery.fixture.ts';

const snapshot = fakeSnapshot('a', 0);

function start(members: Partial<Record<keyof KollectSink, unknown>>) {
  const clock = manualClock();
  const caller = new AbortController();
  let unresponsive = 0;
  const idle = {
    export: async () => applied,
    testConnection: async () => ({ ok: true, steps: [] }),
    close: async () => undefined,
  };
  const sink = containSink({
    sink: { ...idle, ...members } as KollectSink,
    sinkType: 'odd',
    clock,
    abortGraceMs: 1_000,
    closeTimeoutMs: 5_000,
    onUnresponsive: () => (unresponsive += 1),
  });
  const listeners = () => getEventListeners(caller.signal, 'abort').length;
  return { sink, clock, caller, listeners, unresponsive: () => unresponsive };
}

const errorOf = (promise: Promise<unknown> | undefined): Promise<unknown> =>
  Promise.resolve(promise).then(
    (value) => value,
    (error: unknown) => error,
  );

type Then = (resolve: (value: unknown) => void, reject: (error: unknown) => void) => void;

class Thenable {
  readonly then: Then; // oxlint-disable-line unicorn/no-thenable -- what a sink may return
  constructor(then: Then) {
    this.then = then; // oxlint-disable-line unicorn/no-thenable
  }
}

const thenable = (then: Then): unknown => new Thenable(then);

const nonsense: readonly (readonly [string, unknown])[] = [
  [
    'throws synchronously',
    () => {
      throw new Error('password=hunter2');
    },
  ],
  [
    'throws a text',
    () => {
      throw 'oops';
    },
  ], // oxlint-disable-line no-throw-literal, typescript/only-throw-error -- what a sink may do
  ['rejects with nothing', async () => Promise.reject()],
  [
    'rejects with a foreign error',
    async () => {
      throw new TypeError('row 7: secret');
    },
  ],
  ['returns nothing', () => undefined],
  ['returns a result without a promise', () => applied],
  [
    'returns a thenable that settles twice',
    () =>
      thenable((resolve) => {
        resolve(applied);
        resolve(applied);
      }),
  ],
  ['returns a thenable that rejects', () => thenable((_, reject) => reject(new Error('x')))],
  ['ends with nothing', async () => undefined],
  ['ends with null', async () => null],
  ['ends with a foreign outcome', async () => ({ ...applied, outcome: 'done' })],
  ['ends without counts', async () => ({ ...applied, counts: undefined })],
  ['ends with a negative count', async () => ({ ...applied, counts: { ...applied.counts, deleted: -1 } })],
  ['ends with NaN bytes', async () => ({ ...applied, bytes: Number.NaN })],
  ['ends with messages as a text', async () => ({ ...applied, messages: '1' })],
];

test.each(nonsense)('a sink that %s broke the contract', async (_, given) => {
  const { sink, caller, listeners } = start({ export: given, removeInventory: given });
  for (const [promise, operation] of [
    [sink.export(snapshot, { signal: caller.signal }), 'export'],
    [sink.removeInventory?.(snapshot, { signal: caller.signal, removedAt: snapshot.exportedAt }), 'remove-inventory'],
  ] as const) {
    const error = await errorOf(promise);
    expect(error).toMatchObject({ code: 'CONTRACT_VIOLATION', sinkType: 'odd', operation, retryable: false });
    expect(String(error)).toContain('"odd"');
    expect(String(error)).not.toMatch(/hunter2|secret/u);
  }
  expect(listeners()).toBe(0);
});

test('somebody listens to a thenable that is refused: its library could end the process otherwise', async () => {
  let listeners: unknown;
  const { sink, caller } = start({ export: () => thenable((_, reject) => (listeners = reject)) });
  expect(await errorOf(sink.export(snapshot, { signal: caller.signal }))).toMatchObject({ code: 'CONTRACT_VIOLATION' });
  expect(typeof listeners).toBe('function');
});

test('its own errors pass, with the type and the operation they lack', async () => {
  const { sink, caller } = start({ export: async () => Promise.reject(failure('CONFLICT')) });
  expect(await errorOf(sink.export(snapshot, { signal: caller.signal }))).toMatchObject({
    code: 'CONFLICT',
    sinkType: 'odd',
    operation: 'export',
  });
});

test('a result passes as a copy without what does not belong to it', async () => {
  const result = { ...applied, secret: 'x', counts: { ...applied.counts, more: 1 } };
  const { sink, caller } = start({ export: async () => result });
  expect(await sink.export(snapshot, { signal: caller.signal })).toEqual(applied);
});

test('a sink that ends in time after its signal aborted says how', async () => {
  const { sink, clock, caller, listeners, unresponsive } = start({
    export: (_: unknown, { signal }: { signal: AbortSignal }) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => void clock.setTimeout(() => reject(failure('ABORTED')), 999)),
      ),
  });
  const ended = errorOf(sink.export(snapshot, { signal: caller.signal }));
  caller.abort();
  await clock.advance(999);
  expect(await ended).toMatchObject({ code: 'ABORTED' });
  expect([clock.timers, unresponsive(), listeners()]).toEqual([0, 0, 1]);
});

test.each(['export', 'plan', 'removeInventory', 'testConnection', 'open'] as const)(
  '%s that never settles ends a grace after the abort, and what comes of it later is dropped',
  async (member) => {
    let late: ((error: Error) => void) | undefined;
    const { sink, clock, caller, listeners, unresponsive } = start({
      [member]: () => new Promise((_, reject) => (late = reject)),
    });
    const options = { signal: caller.signal, removedAt: snapshot.exportedAt };
    const calls = {
      export: () => sink.export(snapshot, options),
      plan: () => sink.plan?.(snapshot, options),
      removeInventory: () => sink.removeInventory?.(snapshot, options),
      testConnection: () => sink.testConnection(options),
      open: () => sink.open?.(options),
    };
    const ended = errorOf(calls[member]());
    await clock.advance(1_000_000);
    caller.abort();
    await clock.advance(999);
    expect(unresponsive()).toBe(0);
    await clock.advance(1);
    const error = await ended;
    expect(error).toMatchObject({ code: 'CONTRACT_VIOLATION', sinkType: 'odd' });
    expect(String(error)).toContain('ignored its signal');
    late?.(new Error('too late'));
    await settle();
    expect([unresponsive(), listeners(), clock.timers]).toEqual([1, 0, 0]);
  },
);

test('a close that hangs, throws or returns nothing ends in time', async () => {
  const hanging = start({ close: () => new Promise(() => undefined) });
  const ended = errorOf(hanging.sink.close());
  await hanging.clock.advance(5_000);
  expect(await ended).toMatchObject({ code: 'CONTRACT_VIOLATION', operation: 'close' });
  for (const close of [
    () => undefined,
    () => {
      throw new Error('x');
    },
  ]) {
    const { sink, clock } = start({ close });
    expect(await errorOf(sink.close())).toMatchObject({ code: 'CONTRACT_VIOLATION', operation: 'close' });
    expect(clock.timers).toBe(0);
  }
});

test('plans and reports of another shape are refused', async () => {
  const { sink, caller } = start({
    plan: async () => ({ outcome: 'applied', counts: applied.counts }),
    testConnection: async () => ({ ok: 'yes' }),
  });
  expect(await errorOf(sink.plan?.(snapshot, { signal: caller.signal }))).toMatchObject({
    code: 'CONTRACT_VIOLATION',
    operation: 'plan',
  });
  expect(await errorOf(sink.testConnection({ signal: caller.signal }))).toMatchObject({
    code: 'CONTRACT_VIOLATION',
    operation: 'test-connection',
  });
});

test('has the optional members that the sink has', () => {
  const { sink } = start({});
  expect([sink.open, sink.plan, sink.removeInventory]).toEqual([undefined, undefined, undefined]);
  expect(SinkError.isInstance(sink)).toBe(false);
});
