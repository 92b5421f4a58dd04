import type { InventoryDocument, Item, KollectSink, Scope } from '@kollect/core';
import type { CreateSinkOptions } from './create-sink-options.ts';
import type { ConformanceHooks } from './hooks.ts';

/** The host's way to register a test: jest's, vitest's and node:test's `test` have this shape. */
export interface TestFunction {
  (name: string, run: () => Promise<void>, timeoutMs?: number): unknown;
  /** For checks that cannot run without a hook; without it they are registered as tests that pass, under a name that says so. */
  readonly skip?: (name: string, run: () => Promise<void>) => unknown;
}

interface StoreAccess {
  /** A new sink over the same store at each call, neither opened nor closed: the suite does both. It makes the sink and does nothing else. */
  createSink(options: CreateSinkOptions): KollectSink | Promise<KollectSink>;
  /** A sink that points at a port where nobody listens. */
  readonly brokenSink?: ((options: CreateSinkOptions) => KollectSink | Promise<KollectSink>) | false;
  /** A secret that the harness put into the sink's credentials: the suite asserts that nothing it sees holds it. `false`: there are none. */
  readonly secretCanary?: string | false;
  /** Runs before each check. The checks need no empty store: each works in scopes of its own. */
  reset?(): Promise<void>;
  /** Ways to make the store fail. */
  readonly hooks?: ConformanceHooks;
}

/** A store that holds one record for each item. */
export interface ItemHarness extends StoreAccess {
  readonly holds: 'items';
  /** The live items of the scope, in any order, read in one go and by other means than the sink. */
  read(scope: Scope): Promise<readonly Item[]>;
}

/** A store that holds whole documents, one for each export. */
export interface DocumentHarness extends StoreAccess {
  readonly holds: 'documents';
  /** The documents of the scope, oldest first and with their parts joined, read by other means than the sink. */
  read(scope: Scope): Promise<readonly InventoryDocument[]>;
}

/** What a sink's author gives the suite: sinks, and a way to see what the store holds. */
export type SinkHarness = ItemHarness | DocumentHarness;
