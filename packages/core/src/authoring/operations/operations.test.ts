import { getEventListeners } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { noteLimit, startLimit, type StartedLimit } from '../../contract/signal-limit.ts';
import { SinkError } from '../../contract/errors/errors.ts';
import type { OperationScope } from './operation-scope.ts';
import { createOperations } from './operations.ts';
import { fuzz, fuzzTimeoutMs } from '../../contract/fuzz.fixture.ts';

const late = new DOMException('late', 'TimeoutError');
const never = new Promise<never>(() => undefined);
const classify = (thrown: unknown, { doing }: { readonly doing: string }): SinkError =>
  SinkError.isInstance(thrown) ? thrown : new SinkError('BACKEND_ERROR', `Broken while ${doing}.`);
const make = () => createOperations({ sinkType: 'topic', name: 'portal', classify });
const limits = (signal: AbortSignal, timeoutMs?: number) => ({
  operation: 'export' as const,
  doing: 'exporting',
  signal,
  timeoutMs,
});
const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
/** As an attempt of delivery has it. */
const hostLimit = (controller: AbortController, ms: number): StartedLimit => {
  const started = startLimit({ field: 'delivery.attemptTimeout', ms }, () => controller.abort(late));
  noteLimit(controller.signal, started.limit);
  return started;
};
const untilEnded = (scope: OperationScope): Promise<never> => scope.unlessEnded(never);

describe('an operation', () => {
  test('gives what its work gave, and leaves no listener and no timer', async () => {
    const { signal } = new AbortController();
    const before = timers();
    await expect(make().run(limits(signal, 60_000), async (scope) => scope.signal.aborted)).resolves.toBe(false);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(timers()).toBeLessThanOrEqual(before);
  });

  test('throws what classify makes of an error, with sink type and operation', async () => {
    const { signal } = new AbortController();
    await expect(make().run(limits(signal), () => Promise.reject(new Error('secret')))).rejects.toMatchObject({
      code: 'BACKEND_ERROR',
      message: 'Broken while exporting.',
      sinkType: 'topic',
      operation: 'export',
    });
    await expect(
      make().run(limits(signal), () => {
        throw new SinkError('CONFLICT', 'Taken.');
      }),
    ).rejects.toMatchObject({ code: 'CONFLICT', sinkType: 'topic', operation: 'export' });
  });

  test('calls an error that nobody classifies a violation, and one of the classifier, too', async () => {
    const { signal } = new AbortController();
    const plain = createOperations({ sinkType: 'topic', name: 'portal' });
    await expect(plain.run(limits(signal), () => Promise.reject(new Error('secret')))).rejects.toMatchObject({
      code: 'CONTRACT_VIOLATION',
      message: expect.not.stringContaining('secret'),
      sinkType: 'topic',
    });
    const broken = createOperations({
      sinkType: 'topic',
      name: 'portal',
      classify: () => {
        throw new TypeError('secret');
      },
    });
    await expect(broken.run(limits(signal), () => Promise.reject(new Error('x')))).rejects.toMatchObject({
      code: 'CONTRACT_VIOLATION',
    });
  });

  test.each([
    ['ABORTED', undefined, 'The caller aborted while exporting.'],
    ['TIMEOUT', late, "The caller's deadline passed while exporting."],
  ] as const)('that was aborted before it began is not begun', async (code, reason, message) => {
    let begun = false;
    const running = make().run(limits(AbortSignal.abort(reason)), async () => (begun = true));
    await expect(running).rejects.toMatchObject({ code, message, sinkType: 'topic', operation: 'export' });
    expect(begun).toBe(false);
  });

  test.each([
    ['ABORTED', undefined],
    ['TIMEOUT', late],
  ] as const)('ends with its signal, and waits for its work', async (code, reason) => {
    const controller = new AbortController();
    const told: unknown[] = [];
    let freed = false;
    const running = make().run(limits(controller.signal), async (scope) => {
      scope.signal.addEventListener('abort', () => told.push(scope.signal.reason), { once: true });
      try {
        return await untilEnded(scope);
      } catch {
        await new Promise((resolve) => setImmediate(resolve));
        freed = true;
        throw new Error('what a client says of an abort');
      }
    });
    controller.abort(reason);
    const error: unknown = await running.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, sinkType: 'topic', operation: 'export' });
    expect(freed).toBe(true);
    expect(told).toEqual([error]);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  test('that was aborted and succeeded all the same succeeded', async () => {
    const controller = new AbortController();
    const running = make().run(limits(controller.signal), async () => {
      controller.abort();
      return 'acknowledged';
    });
    await expect(running).resolves.toBe('acknowledged');
  });

  test('ends with its limit', async () => {
    const { signal } = new AbortController();
    const before = timers();
    await expect(make().run(limits(signal, 1), untilEnded)).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: 'Gave up exporting after 1 ms without an answer.',
    });
    expect(timers()).toBeLessThanOrEqual(before);
  });

  test.each([60_000, 60_001, 59_999])('of %s ms runs on the timer of its host’s 60 000 ms', async (own) => {
    const controller = new AbortController();
    const before = timers();
    const host = hostLimit(controller, 60_000);
    await make().run(limits(controller.signal, own), async (scope) => {
      expect(timers() - before).toBe(1);
      await scope.step({ doing: 'a step', timeoutMs: 50 }, async () => expect(timers() - before).toBe(1));
    });
    host.release();
    expect(timers()).toBeLessThanOrEqual(before);
  });

  const ofHost =
    "The host's limit, delivery.attemptTimeout of 5 ms, passed while exporting. Raise delivery.attemptTimeout of the sink where it may take longer.";
  test.each([
    [5, 60_000, ofHost],
    [5, 5, ofHost],
    [60_000, 5, 'Gave up exporting after 5 ms without an answer.'],
  ])('with %s ms of its host and %s ms of its own ends with the shorter one', async (hosts, own, message) => {
    const controller = new AbortController();
    const host = hostLimit(controller, hosts);
    const running = make().run(limits(controller.signal, own), untilEnded);
    await expect(running).rejects.toMatchObject({ code: 'TIMEOUT', message });
    host.release();
  });

  test('says which field set the limit that passed', async () => {
    const { signal } = new AbortController();
    const timeoutField = 'spec.kafka.deliveryTimeout';
    await expect(make().run({ ...limits(signal, 1), timeoutField }, untilEnded)).rejects.toMatchObject({
      message:
        'Gave up exporting after 1 ms without an answer. Raise spec.kafka.deliveryTimeout where it may take longer.',
    });
    const stepping = make().run({ ...limits(signal, 60_000), timeoutField }, (scope) =>
      scope.step({ doing: 'looking', timeoutMs: 1 }, untilEnded),
    );
    await expect(stepping).rejects.toMatchObject({ message: 'Gave up looking after 1 ms without an answer.' });
  });

  test('takes a signal that aborted already to those who ask late', async () => {
    const controller = new AbortController();
    const running = make().run(limits(controller.signal), async (scope) => {
      controller.abort();
      expect(scope.signal.aborted).toBe(true);
      expect(scope.signal.reason).toBe(scope.ended);
      expect(() => scope.throwIfEnded()).toThrow('The caller aborted while exporting.');
      await expect(scope.unlessEnded(Promise.resolve(1))).rejects.toBe(scope.ended);
      await expect(scope.step({ doing: 'a step' }, async () => 1)).rejects.toBe(scope.ended);
      return 1;
    });
    await expect(running).resolves.toBe(1);
  });
});

describe('a step', () => {
  test('has a limit and words of its own, and the operation goes on', async () => {
    const { signal } = new AbortController();
    const running = make().run(limits(signal), async (scope) => {
      const stepping = scope.step({ doing: 'looking at the table', timeoutMs: 1 }, () => never);
      const error: unknown = await stepping.catch((thrown: unknown) => thrown);
      expect(scope.ended).toBeUndefined();
      return error;
    });
    await expect(running).resolves.toMatchObject({
      code: 'TIMEOUT',
      operation: 'export',
      message: 'Gave up looking at the table after 1 ms without an answer.',
    });
  });

  test('is named where the whole ends in it', async () => {
    const controller = new AbortController();
    const running = make().run(limits(controller.signal), (scope) =>
      scope.step({ doing: 'looking at the table', timeoutMs: 60_000 }, (step) => {
        step.signal.addEventListener('abort', () => undefined);
        return never;
      }),
    );
    const before = timers();
    controller.abort();
    await expect(running).rejects.toMatchObject({
      code: 'ABORTED',
      message: 'The caller aborted while exporting, looking at the table.',
    });
    expect(timers()).toBeLessThanOrEqual(before - 1);
  });

  test('hands errors on as they are, and classifies one when asked', async () => {
    const { signal } = new AbortController();
    const mine = new Error('mine');
    await make().run(limits(signal), async (scope) => {
      await expect(scope.step({ doing: 'a step' }, () => Promise.reject(mine))).rejects.toBe(mine);
      const told = scope.step({ doing: 'a step' }, async (step) => {
        throw step.failure(mine);
      });
      await expect(told).rejects.toMatchObject({ code: 'BACKEND_ERROR', message: 'Broken while a step.' });
    });
  });
});

describe('close', () => {
  test('aborts what runs, waits for it, and frees what is left once', async () => {
    const operations = make();
    const { signal } = new AbortController();
    const order: string[] = [];
    const running = [1, 2].map((number) =>
      operations.run(limits(signal), async (scope) => {
        await untilEnded(scope).catch(() => new Promise((resolve) => setImmediate(resolve)));
        order.push(`work ${number}`);
        scope.throwIfEnded();
      }),
    );
    const release = async (): Promise<void> => void order.push('release');
    const closing = operations.close(release);
    expect(operations.close(release)).toBe(closing);
    for (const each of running)
      await expect(each).rejects.toMatchObject({
        code: 'ABORTED',
        message: 'The sink "portal" is closed.',
        operation: 'export',
      });
    await closing;
    expect(order).toEqual(['work 1', 'work 2', 'release']);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('refuses what comes later with ABORTED', async () => {
    const operations = make();
    await operations.close();
    const late = operations.run(limits(new AbortController().signal), async () => 1);
    await expect(late).rejects.toMatchObject({ code: 'ABORTED', sinkType: 'topic', operation: 'export' });
  });
});

test(
  'ten thousand operations of any fate leave nothing on the signal that they share',
  async () => {
    await fuzz(1, async (random) => {
      const shared = new AbortController();
      const before = timers();
      const fates: (() => Promise<unknown>)[] = [
        () => operations.run(limits(shared.signal, 60_000), async () => 1),
        () => operations.run(limits(shared.signal, 60_000), () => Promise.reject(new Error('x'))),
        () => operations.run(limits(shared.signal, 1 + random(3)), untilEnded),
        () =>
          operations.run(limits(shared.signal), (scope) =>
            scope.step({ doing: 'a step', timeoutMs: 1 + random(3) }, (step) => step.unlessEnded(never)),
          ),
        () => operations.run(limits(shared.signal), untilEnded),
        () => operations.run(limits(AbortSignal.timeout(1 + random(3)), 60_000), untilEnded),
      ];
      let operations = make();
      for (let round = 0; round < 100; round += 1) {
        operations = make();
        const running = Array.from({ length: 100 }, async () => fates[random(fates.length)]?.());
        const settled = Promise.allSettled(running);
        if (random(2) === 0) await new Promise((resolve) => setImmediate(resolve));
        await operations.close();
        for (const outcome of await settled)
          if (outcome.status === 'rejected') expect(SinkError.isInstance(outcome.reason)).toBe(true);
      }
      expect(getEventListeners(shared.signal, 'abort')).toEqual([]);
      // Those of AbortSignal.timeout are not counted: Node does not let them keep a process alive.
      // Node itself has one now and then, which is gone soon; ours would stay for a minute.
      for (let wait = 0; timers() > before && wait < 50; wait += 1)
        await new Promise((resolve) => setTimeout(resolve, 100));
      expect(timers()).toBeLessThanOrEqual(before);
    });
  },
  fuzzTimeoutMs,
);
