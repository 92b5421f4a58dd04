import { randomUUID } from 'node:crypto';
import { sealSnapshot, type InventorySnapshot, type Item } from '@kollect/core';
import type { Finding, OperationScope } from '@kollect/core/authoring';
import { createAppendMode } from './append/append.ts';
import type { PostgresConnection, PostgresContext } from './postgres-client.ts';
import { rehearseTables } from './schema/provisioning.ts';
import { createUpsertMode } from './upsert/upsert.ts';
import { createSessionRunner, type Session } from './wire/session.ts';

/**
 * Does what the first export will do, and rolls it back: makes what is missing, and writes, changes and deletes rows of an inventory that is
 * nobody's. Nobody else sees any of it.
 */
export async function rehearse(
  context: PostgresContext,
  connection: PostgresConnection,
  scope: OperationScope,
): Promise<Finding<true>> {
  const { spec } = context;
  const alone = {
    acquire: () => Promise.resolve({ connection, reused: false, stale: false }),
    release: () => undefined,
    close: () => Promise.resolve(),
  };
  const runner = createSessionRunner(context, alone);
  const mode = spec.mode === 'append' ? createAppendMode(spec, runner) : createUpsertMode(spec, runner);
  const snapshots = await probes();
  const run = async (session: Session): Promise<void> => {
    await rehearseTables(connection.client, spec);
    for (const snapshot of snapshots) await mode.rehearse(session, snapshot);
  };
  await runner.transaction(scope, run, { discard: true });
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
