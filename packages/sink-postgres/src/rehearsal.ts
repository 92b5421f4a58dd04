import { randomUUID } from 'node:crypto';
import { sealSnapshot, type Finding, type InventorySnapshot, type Item } from '@kollect/core';
import { createAppendMode } from './append/append.ts';
import type { PostgresConnection, PostgresContext } from './postgres-client.ts';
import { rehearseTables } from './schema/provisioning.ts';
import { createUpsertMode } from './upsert/upsert.ts';
import { createSessionRunner } from './wire/session.ts';

/**
 * Does what the first export will do, and rolls it back: makes what is missing, and writes, changes and deletes rows of an inventory that is
 * nobody's. Nobody else sees any of it.
 */
export async function rehearse(
  context: PostgresContext,
  connection: PostgresConnection,
  signal: AbortSignal,
): Promise<Finding<true>> {
  const { spec } = context;
  const alone = {
    acquire: () => Promise.resolve({ connection, reused: false, stale: false }),
    release: () => undefined,
    close: () => Promise.resolve(),
  };
  const runner = createSessionRunner(context, alone);
  const mode = spec.mode === 'append' ? createAppendMode(spec, runner) : createUpsertMode(spec, runner);
  const options = { signal, operation: 'test-connection', doing: 'rehearsing an export', discard: true } as const;
  const snapshots = await probes();
  await runner.transaction(options, async (session) => {
    await rehearseTables(connection.client, spec);
    for (const snapshot of snapshots) await mode.rehearse(session, snapshot);
  });
  return { found: 'Rows were written, changed and deleted, and all of it was rolled back.', value: true };
}

/** The first fills an inventory, the next ones change, add and delete rows, and empty it. */
async function probes(): Promise<readonly InventorySnapshot[]> {
  const inventoryName = randomUUID();
  const now = Date.now();
  const item = (uid: string, attributes = {}): Item => ({
    targetNamespace: '',
    targetName: 'connection-test',
    namespace: '',
    name: uid,
    version: 'v1',
    kind: 'Probe',
    uid,
    attributes,
  });
  const contents = [[item('kept'), item('gone')], [item('kept', { changed: true }), item('added')], []];
  return Promise.all(
    contents.map((items, index) =>
      sealSnapshot({
        inventoryNamespace: 'kollect-connection-test',
        inventoryName,
        generation: 1,
        exportedAt: new Date(now + index),
        items,
      }),
    ),
  );
}
