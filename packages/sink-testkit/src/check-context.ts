import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  SinkError,
  type DeliveryLogger,
  type ExportOptions,
  type ExportResult,
  type InventorySnapshot,
  type Item,
  type KollectSink,
  type LogFields,
  type Scope,
} from '@kollect/core';
import type { ServerAddress } from '@kollect/core/authoring';
import { assertResult } from './assertions.ts';
import { makeItems, type MakeItemsOptions } from './generators/make-items.ts';
import { makeSnapshot } from './generators/make-snapshot.ts';
import { startFaultProxy, type FaultProxy } from './faults/fault-proxy.ts';
import { startHttpFaultProxy, type HttpFaultProxy } from './faults/http-fault-proxy.ts';
import type { CreateSinkOptions } from './create-sink-options.ts';
import type { SinkHarness } from './harness.ts';
import { createObservations } from './observations.ts';
import { settle, type Settled } from './patience.ts';
import { createStoreReader, type StoreReader } from './store-reader.ts';
import type { ConformanceDefinition } from './conformance-definition.ts';
import { createSinkWatch, type SinkWatch } from './watch/sink-watch.ts';
import { createWatchedEgress, type WatchedEgress } from './watch/watched-egress.ts';

/** In the attributes of every item that a check makes: no error, report, result or log line may hold it. */
export const rowCanary = 'row-data-that-nobody-may-log';

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
  createSink(options?: ContextSinkOptions): Promise<KollectSink>;
  openSink(options?: ContextSinkOptions): Promise<KollectSink>;
  /** The harness's sink that points at nobody. */
  brokenSink(): Promise<KollectSink>;
  /** The harness's sink that dials the server with TLS. */
  untrustedSink(server: ServerAddress): Promise<KollectSink>;
  /** What sinks do to their process. */
  readonly watch: SinkWatch;
  /** A proxy before the store, for bytes. */
  proxy(): Promise<FaultProxy>;
  /** A proxy before the store, for requests. */
  httpProxy(): Promise<HttpFaultProxy>;
  /** Runs when the check ends, before its sinks are closed. */
  atEnd(cleanUp: () => Promise<unknown>): void;
  /** Exports and checks the shape of the result. */
  export(sink: KollectSink, snapshot: InventorySnapshot, options?: Partial<ExportOptions>): Promise<ExportResult>;
  /** How the operation ended, in time; a rejection must be a SinkError of this sink type. */
  settled<T>(what: string, promise: Promise<T>): Promise<Settled<T>>;
  /** The SinkError that the operation must reject with. */
  failure(what: string, promise: Promise<unknown>): Promise<SinkError>;
  /** A value to search for the harness's secret. */
  observe<T>(value: T): T;
}

export interface ContextSinkOptions extends Partial<Pick<CreateSinkOptions, 'server'>> {
  /** Forbids every address. Default false. */
  readonly denyEgress?: boolean;
}

export interface CheckContextOptions {
  readonly definition: ConformanceDefinition;
  readonly harness: SinkHarness;
  readonly patienceMs: number;
}

/** `cleanUp` closes the sinks; `expectNothing` looks at what was seen for what no sink may do or say. */
export function createCheckContext({ definition, harness, patienceMs }: CheckContextOptions): {
  context: CheckContext;
  cleanUp: (limitMs?: number) => Promise<void>;
  expectNothing: () => void;
} {
  const run = randomUUID().slice(0, 8);
  const first = Date.now() - 3_600_000;
  const seen = createObservations();
  const sinks: KollectSink[] = [];
  const cleanUps: (() => Promise<unknown>)[] = [];
  const [egress, denying] = [createWatchedEgress(), createWatchedEgress({ deny: true })] as const;
  const watch = createSinkWatch([egress, denying]);
  const { logger, lines } = createLineCollector();
  let scopes = 0;
  // Other UIDs in each check: a store may refuse one object in two clusters.
  let seed = Number.parseInt(run, 16);

  const make = async (
    create: (options: CreateSinkOptions) => KollectSink | Promise<KollectSink>,
    { denyEgress = false, ...more }: ContextSinkOptions = {},
  ): Promise<KollectSink> => {
    const chosen: WatchedEgress = denyEgress ? denying : egress;
    const { server } = more;
    const options = {
      name: `conformance-${sinks.length}`,
      egress: chosen.egress,
      logger,
      ...(server === undefined ? {} : { server: { host: server.host, port: server.port } }),
    };
    const sink = watch.watched(await watch.run(() => create(options)));
    sinks.push(sink);
    return sink;
  };
  const createSink: CheckContext['createSink'] = async (options) => make((given) => harness.createSink(given), options);
  const storeAddress = async () => {
    const server = harness.hooks?.server;
    return server === undefined || server === false ? assert.fail('The harness has no hook server.') : server.address();
  };
  const closedAtEnd = <T extends { close(): Promise<void> }>(proxy: T): T => {
    cleanUps.push(() => proxy.close());
    return proxy;
  };
  const settled = <T>(what: string, promise: Promise<T>): Promise<Settled<T>> => {
    const ending = settle(what, promise, patienceMs).then((end) => {
      seen.add(end.status === 'fulfilled' ? end.value : end.reason);
      if (end.status === 'rejected') assertSinkError(what, end.reason, definition.type);
      return end;
    });
    // A check that fails elsewhere no longer waits for this one; nobody may call it unhandled.
    ending.catch(() => undefined);
    return ending;
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
    items: (count, options) =>
      makeItems({ ...options, count, seed: (seed += 1) }).map((item) => ({
        ...item,
        attributes: { ...item.attributes, conformanceRemark: rowCanary },
      })),
    time: (at) => new Date(first + at * 1000).toISOString(),
    snapshot: async (scope, { at = 0, ...draft }) => makeSnapshot({ ...scope, ...draft, exportedAt: context.time(at) }),
    createSink,
    openSink: async (options) => {
      const sink = await createSink(options);
      await sink.open?.({ signal: new AbortController().signal });
      return sink;
    },
    brokenSink: async () => {
      const { brokenSink } = harness;
      if (brokenSink === undefined || brokenSink === false) return assert.fail('The harness has no brokenSink.');
      return make((given) => brokenSink.call(harness, given));
    },
    untrustedSink: async ({ host, port }) => {
      const untrustedSink = harness.hooks?.untrustedSink;
      if (untrustedSink === undefined || untrustedSink === false)
        return assert.fail('The harness has no hook untrustedSink.');
      const server = { host, port };
      return make((given) => untrustedSink({ ...given, server }));
    },
    watch,
    proxy: async () => closedAtEnd(await startFaultProxy({ target: await storeAddress() })),
    httpProxy: async () => closedAtEnd(await startHttpFaultProxy({ target: await storeAddress() })),
    atEnd: (cleanUp) => void cleanUps.push(cleanUp),
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
  const cleanUp = async (limitMs = patienceMs): Promise<void> => {
    try {
      for (const end of cleanUps.toReversed()) await end();
      const closing = Promise.all(sinks.map(async (sink) => sink.close()));
      await settle('Closing the sinks of the check', closing, limitMs);
    } finally {
      watch.stop();
    }
  };
  const expectNothing = (): void => {
    seen.add(lines);
    watch.expectNothing();
    seen.expectNo(rowCanary);
    if (typeof harness.secretCanary === 'string') seen.expectNo(harness.secretCanary);
  };
  return { context, cleanUp, expectNothing };
}

/** A logger that keeps what it is given. */
function createLineCollector(): { readonly logger: DeliveryLogger; readonly lines: readonly unknown[] } {
  const lines: unknown[] = [];
  const keep = (fields: LogFields, message: string): void => void lines.push({ fields, message });
  return { logger: { debug: keep, info: keep, warn: keep, error: keep }, lines };
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
