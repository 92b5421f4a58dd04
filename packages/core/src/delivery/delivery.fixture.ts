import { setImmediate } from 'node:timers/promises';
import { SinkError, type SinkErrorCode, type SinkErrorOptions } from '../contract/errors/errors.ts';
import type { ExportResult, KollectSink, SpanAttributes } from '../contract/sink.ts';
import type { InventorySnapshot } from '../contract/snapshot/snapshot.ts';
import { createSinkRegistry } from '../create-sink-registry.ts';
import type { DeliveryMetrics } from '../observability/metrics.ts';
import { defineSink } from '../registry/define-sink.ts';
import { exportDelivery, type Delivery } from './delivery.ts';
import { systemClock, type DeliveryClock } from './delivery-clock.ts';

const start = Date.UTC(2026, 0, 31, 12);

/** Time that passes when a test says so. */
export interface ManualClock extends DeliveryClock {
  advance(ms: number): Promise<void>;
  /** Timers that were not yet due and not cleared. */
  readonly timers: number;
}

export function manualClock(): ManualClock {
  let now = start;
  let last = 0;
  const timers = new Map<number, { readonly at: number; readonly callback: () => void }>();
  return {
    now: () => now,
    setTimeout: (callback, ms) => {
      last += 1;
      timers.set(last, { at: now + ms, callback });
      return last;
    },
    clearTimeout: (timer) => void timers.delete(timer as number),
    advance: async (ms) => {
      const end = now + ms;
      await settle();
      for (;;) {
        const [due] = [...timers].filter(([, { at }]) => at <= end).sort(([a, x], [b, y]) => x.at - y.at || a - b);
        if (due === undefined) break;
        const [id, { at, callback }] = due;
        timers.delete(id);
        now = Math.max(now, at);
        callback();
        await settle();
      }
      now = end;
    },
    get timers() {
      return timers.size;
    },
  };
}

/** Lets every promise that can settle do so. */
export async function settle(): Promise<void> {
  await setImmediate();
}

/** A snapshot as sealing makes them, of no items: `content` stands for them. */
export function fakeSnapshot(
  content: string,
  second: number,
  changes: Partial<InventorySnapshot> = {},
): InventorySnapshot {
  const exportedAt = new Date(start + second * 1000).toISOString();
  return {
    inventoryNamespace: 'team',
    inventoryName: 'all',
    generation: 1,
    exportedAt,
    checksum: content,
    items: [],
    itemsByteLength: 2,
    incompleteTargets: [],
    ...changes,
  };
}

export function fakeDelivery(content = 'a', second = 0, signal: AbortSignal = new AbortController().signal): Delivery {
  return exportDelivery(fakeSnapshot(content, second), { signal });
}

export const applied: ExportResult = {
  outcome: 'applied',
  counts: { inserted: 1, updated: 2, deleted: 3, unchanged: 4 },
  messages: 1,
  bytes: 10,
};

export function failure(code: SinkErrorCode, options: SinkErrorOptions = {}): SinkError {
  return new SinkError(code, `The test asked for ${code}.`, options);
}

/** The code of what the promise rejects with, or `resolved`. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'resolved';
  } catch (error) {
    return SinkError.isInstance(error) ? error.code : `no SinkError: ${String(error)}`;
  }
}

export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** A promise and the means to end it. */
export function deferred<T>(): Deferred<T> {
  let ends: Omit<Deferred<T>, 'promise'> | undefined;
  const promise = new Promise<T>((resolve, reject) => (ends = { resolve, reject }));
  return { promise, resolve: (value) => ends?.resolve(value), reject: (error) => ends?.reject(error) };
}

/** Sinks of a type `fake`, each made of the members that the test gives; what is made, and its calls, can be read. */
export function fakeSinks<const Type extends string = 'fake'>(
  members: Partial<KollectSink> | ((index: number) => Partial<KollectSink>) = {},
  {
    type = 'fake' as Type,
    supports = true,
    spanAttributes = {},
  }: { readonly type?: Type; readonly supports?: boolean; readonly spanAttributes?: SpanAttributes } = {},
) {
  const calls: string[] = [];
  /** Content by scope, as `export` left it. */
  const store = new Map<string, string>();
  const asked: unknown[] = [];
  let made = 0;
  const note = (index: number, what: string): void => void calls.push(`${index}:${what}`);
  const definition = defineSink({
    type,
    contractVersion: 1,
    role: 'snapshot-store',
    capabilities: { fenced: true, deletes: true, plan: supports, removeInventory: supports },
    spanAttributes,
    specSchema: {
      type: 'object',
      additionalProperties: false,
      properties: { table: { type: 'string', minLength: 1, default: 't', description: 'Where to.' } },
    },
    create: ({ credentials }): KollectSink => {
      made += 1;
      const index = made;
      const given = typeof members === 'function' ? members(index) : members;
      const key = ({ inventoryName }: { readonly inventoryName: string }): string => inventoryName;
      return {
        open: async (options) => {
          note(index, 'open');
          asked.push(await credentials());
          await given.open?.(options);
        },
        export: async (snapshot, options) => {
          note(index, `export ${key(snapshot)} ${snapshot.checksum}`);
          const result = (await given.export?.(snapshot, options)) ?? applied;
          store.set(key(snapshot), snapshot.checksum);
          return result;
        },
        plan: async (snapshot, options) =>
          given.plan?.(snapshot, options) ?? {
            outcome: 'applied',
            counts: applied.counts,
            samples: { inserted: [], updated: [], deleted: [] },
          },
        removeInventory: async (scope, options) => {
          note(index, `remove ${key(scope)}`);
          const result = (await given.removeInventory?.(scope, options)) ?? applied;
          store.delete(key(scope));
          return result;
        },
        testConnection: async (options) => given.testConnection?.(options) ?? { ok: true, steps: [] },
        close: async () => {
          note(index, 'close');
          await given.close?.();
        },
      };
    },
  });
  return { definition, registry: createSinkRegistry([definition]), calls, store, asked, made: () => made };
}

/** The chain with Node's timers, where jest's fake ones control them. */
export const fakeTimersClock: DeliveryClock = { ...systemClock, now: () => Date.now() };

/** What to tell jest so that `settle` still works. */
export const fakeTimersOptions = {
  now: start,
  doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'] as (
    | 'setImmediate'
    | 'nextTick'
    | 'queueMicrotask'
    | 'performance'
  )[],
};

/** Metrics that write down what they are told. */
export function notedMetrics(): { readonly metrics: DeliveryMetrics; readonly told: (readonly [string, unknown])[] } {
  const told: (readonly [string, unknown])[] = [];
  const names = ['declareSinkType', 'deliveryEnded', 'attemptRetried', 'inFlightChanged', 'breakerChanged'] as const;
  const noted = Object.fromEntries(names.map((name) => [name, (event: unknown) => void told.push([name, event])]));
  const metrics = { ...noted, watchBacklog: () => () => undefined } as unknown as DeliveryMetrics;
  return { metrics, told };
}
