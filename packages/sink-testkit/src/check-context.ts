import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  SinkError,
  type ExportOptions,
  type ExportResult,
  type InventorySnapshot,
  type Item,
  type KollectSink,
  type Scope,
} from '@kollect/core';
import { assertResult } from './assertions.ts';
import { makeItems, type MakeItemsOptions } from './generators/make-items.ts';
import { makeSnapshot } from './generators/make-snapshot.ts';
import type { SinkHarness } from './harness.ts';
import { createObservations } from './observations.ts';
import { settle, type Settled } from './patience.ts';
import { createStoreReader, type StoreReader } from './store-reader.ts';
import type { ConformanceDefinition } from './conformance-definition.ts';

export interface SnapshotDraft {
  readonly items: readonly Item[];
  /** Seconds after the context's first moment, one hour ago. Default 0. */
  readonly at?: number;
  readonly generation?: number;
  readonly incompleteTargets?: readonly string[];
}

/** What a check works with. Sinks that it opens are closed when it ends. */
export interface CheckContext {
  readonly definition: ConformanceDefinition;
  readonly harness: SinkHarness;
  readonly store: StoreReader;
  /** How long a promise that must settle may take, in milliseconds. */
  readonly patienceMs: number;
  /** A scope that nobody else uses. */
  scope(): Scope;
  /** New items: no two calls of one check share a UID. */
  items(count: number, options?: Omit<MakeItemsOptions, 'count' | 'seed'>): Item[];
  /** The moment so many seconds after the first one. */
  time(at: number): string;
  snapshot(scope: Scope, draft: SnapshotDraft): Promise<InventorySnapshot>;
  createSink(): Promise<KollectSink>;
  openSink(): Promise<KollectSink>;
  /** Exports and checks the shape of the result. */
  export(sink: KollectSink, snapshot: InventorySnapshot, options?: Partial<ExportOptions>): Promise<ExportResult>;
  /** How the operation ended, in time; a rejection must be a SinkError of this sink type. */
  settled<T>(what: string, promise: Promise<T>): Promise<Settled<T>>;
  /** The SinkError that the operation must reject with. */
  failure(what: string, promise: Promise<unknown>): Promise<SinkError>;
  /** A value to search for the harness's secret. */
  observe<T>(value: T): T;
}

export interface CheckContextOptions {
  readonly definition: ConformanceDefinition;
  readonly harness: SinkHarness;
  readonly patienceMs: number;
}

/** `finish` closes the sinks and searches what was seen for the secret. */
export function createCheckContext({ definition, harness, patienceMs }: CheckContextOptions): {
  context: CheckContext;
  finish: () => Promise<void>;
} {
  const run = randomUUID().slice(0, 8);
  const first = Date.now() - 3_600_000;
  const seen = createObservations();
  const sinks: KollectSink[] = [];
  let scopes = 0;
  let seed = 0;

  const createSink = async (): Promise<KollectSink> => {
    const sink = await harness.createSink({ name: `conformance-${sinks.length}` });
    sinks.push(sink);
    return sink;
  };
  const settled = async <T>(what: string, promise: Promise<T>): Promise<Settled<T>> => {
    const end = await settle(what, promise, patienceMs);
    seen.add(end.status === 'fulfilled' ? end.value : end.reason);
    if (end.status === 'rejected') assertSinkError(what, end.reason, definition.type);
    return end;
  };

  const context: CheckContext = {
    definition,
    harness,
    patienceMs,
    store: createStoreReader(harness),
    scope: () => ({
      cluster: `cluster-${run}`,
      inventoryNamespace: `team-${run}`,
      inventoryName: `inventory-${(scopes += 1)}`,
    }),
    items: (count, options) => makeItems({ ...options, count, seed: (seed += 1) }),
    time: (at) => new Date(first + at * 1000).toISOString(),
    snapshot: async (scope, { at = 0, ...draft }) => makeSnapshot({ ...scope, ...draft, exportedAt: context.time(at) }),
    createSink,
    openSink: async () => {
      const sink = await createSink();
      await sink.open?.({ signal: new AbortController().signal });
      return sink;
    },
    export: async (sink, snapshot, options) => {
      const result = await sink
        .export(snapshot, {
          signal: new AbortController().signal,
          // A sink may refuse to go from many items to none, which it is told here that it may.
          allowDeletes: snapshot.items.length === 0,
          ...options,
        })
        .catch((error: unknown) => {
          throw context.observe(error);
        });
      assertResult(context.observe(result));
      return result;
    },
    settled,
    failure: async (what, promise) => {
      const end = await settled(what, promise);
      return end.status === 'fulfilled' || !SinkError.isInstance(end.reason)
        ? assert.fail(`${what} did not reject.`)
        : end.reason;
    },
    observe: (value) => {
      seen.add(value);
      return value;
    },
  };
  const finish = async (): Promise<void> => {
    await settle('Closing the sinks of the check', Promise.all(sinks.map(async (sink) => sink.close())), patienceMs);
    if (harness.secretCanary !== undefined) seen.expectNo(harness.secretCanary);
  };
  return { context, finish };
}

function assertSinkError(what: string, error: unknown, sinkType: string): void {
  if (!SinkError.isInstance(error)) {
    const name = error instanceof Error ? error.name : typeof error;
    assert.fail(`${what} threw ${name}; a sink throws SinkError only.`);
  }
  // Core names the type where a sink leaves it out.
  assert.equal(
    error.sinkType ?? sinkType,
    sinkType,
    `${what} threw an error of the sink type ${String(error.sinkType)}; expected ${sinkType}.`,
  );
}
