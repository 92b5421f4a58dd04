import type { InventoryDocument, Item, KollectSink, Scope } from '@kollect/core';

/** The host's way to register a test: jest's, vitest's and node:test's `test` have this shape. */
export type TestFunction = (name: string, run: () => Promise<void>, timeoutMs?: number) => unknown;

export interface CreateSinkOptions {
  /** Name of the KollectSink resource, where the sink's author wants to tell sinks apart. */
  readonly name?: string;
}

interface StoreAccess {
  /** A new sink over the same store at each call, neither opened nor closed: the suite does both. */
  createSink(options?: CreateSinkOptions): KollectSink | Promise<KollectSink>;
  /** A sink that points at a port where nobody listens. Without it the checks of an unreachable store are left out. */
  brokenSink?(): KollectSink | Promise<KollectSink>;
  /** A secret that the harness put into the sink's credentials: the suite asserts that nothing it sees holds it. */
  readonly secretCanary?: string;
  /** Runs before each check. The checks need no empty store: each works in scopes of its own. */
  reset?(): Promise<void>;
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
