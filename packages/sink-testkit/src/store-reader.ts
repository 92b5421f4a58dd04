import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { InventoryDocument, InventorySnapshot, Item, Scope } from '@kollect/core';
import { canonical, canonicalItems, describeDifference } from './canonical.ts';
import type { SinkHarness } from './harness.ts';

/** The store as the harness sees it, whether it holds items or documents. */
export interface StoreReader {
  /** The items of the scope: the live ones, or those of the newest document. */
  items(scope: Scope): Promise<readonly Item[]>;
  /** The documents of the scope; none where the store holds items. */
  documents(scope: Scope): Promise<readonly InventoryDocument[]>;
  /** A text that changes whenever anything of the scope changes. */
  fingerprint(scope: Scope): Promise<string>;
  /** Fails unless the store holds exactly these items. */
  expectItems(scope: Scope, expected: readonly Item[]): Promise<void>;
  /** Fails unless the store equals the snapshot: its items, and the envelope of the newest document. */
  expectSnapshot(snapshot: InventorySnapshot): Promise<void>;
  /** True where the store holds exactly these items. */
  holds(scope: Scope, expected: readonly Item[]): Promise<boolean>;
}

export function createStoreReader(harness: SinkHarness): StoreReader {
  const documents = async (scope: Scope): Promise<readonly InventoryDocument[]> =>
    harness.holds === 'documents' ? harness.read(scope) : [];
  const items = async (scope: Scope): Promise<readonly Item[]> => {
    if (harness.holds === 'items') return harness.read(scope);
    return (await harness.read(scope)).at(-1)?.items ?? [];
  };
  const expectItems = async (scope: Scope, expected: readonly Item[]): Promise<void> => {
    const difference = describeDifference(await items(scope), expected);
    if (difference !== undefined) assert.fail(difference);
  };
  return {
    items,
    documents,
    expectItems,
    fingerprint: async (scope) => {
      const text =
        harness.holds === 'documents'
          ? canonical(await harness.read(scope))
          : [...canonicalItems(await harness.read(scope)).values()].sort().join('\n');
      // Short enough to be shown where two of them differ.
      return createHash('sha256').update(text).digest('hex');
    },
    expectSnapshot: async (snapshot) => {
      await expectItems(snapshot, snapshot.items);
      if (harness.holds === 'documents') expectEnvelope((await harness.read(snapshot)).at(-1), snapshot);
    },
    holds: async (scope, expected) => describeDifference(await items(scope), expected) === undefined,
  };
}

function expectEnvelope(document: InventoryDocument | undefined, snapshot: InventorySnapshot): void {
  assert.ok(document, 'The store holds no document of the scope.');
  const { cluster, inventoryNamespace, inventoryName, generation, checksum, exportedAt, itemCount } = document;
  assert.equal(
    canonical({ cluster, inventoryNamespace, inventoryName, generation, checksum, exportedAt, itemCount }),
    canonical({
      cluster: snapshot.cluster,
      inventoryNamespace: snapshot.inventoryNamespace,
      inventoryName: snapshot.inventoryName,
      generation: snapshot.generation,
      checksum: snapshot.checksum,
      exportedAt: snapshot.exportedAt,
      itemCount: snapshot.items.length,
    }),
    'The envelope of the newest document is not that of the snapshot.',
  );
}
