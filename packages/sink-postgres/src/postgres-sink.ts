import { defineSink, SinkError, type KollectSink, type OperationOptions, type SinkOperation } from '@kollect/core';
import { showText } from '@kollect/core/authoring';
import { createAppendMode } from './append/append.ts';
import { createClientPool } from './wire/client-pool.ts';
import type { PostgresContext } from './postgres-client.ts';
import { limitedBy } from './wire/deadline.ts';
import { postgresError } from './postgres-errors.ts';
import { postgresCredentialFields, postgresSpecSchema, resolvePostgresSpec } from './postgres-spec.ts';
import { provision } from './schema/provisioning.ts';
import { createSessionRunner } from './wire/session.ts';
import { testConnection } from './postgres-test-connection.ts';
import { createUpsertMode } from './upsert/upsert.ts';

/** The sink type `postgres`: a table that always equals the last snapshot, or a table of events. */
export const postgresSink = defineSink({
  type: 'postgres',
  contractVersion: 1,
  role: 'relational-store',
  capabilities: { fenced: true, deletes: true, plan: true, removeInventory: true },
  credentialFields: postgresCredentialFields,
  spanAttributes: { 'db.system.name': 'postgresql' },
  specSchema: postgresSpecSchema,
  resolveSpec: resolvePostgresSpec,
  create: createPostgresSink,
});

function createPostgresSink(context: PostgresContext): KollectSink {
  const { spec } = context;
  const pool = createClientPool(context);
  const runner = createSessionRunner(context, pool);
  const mode = spec.mode === 'append' ? createAppendMode(spec, runner) : createUpsertMode(spec, runner);
  const running = new Set<Promise<unknown>>();
  let provisioned = false;
  let closing: Promise<void> | undefined;

  const open = async ({ signal }: OperationOptions, operation: SinkOperation = 'open'): Promise<void> => {
    if (provisioned) return;
    const options = { signal, operation, doing: `preparing table ${showText(spec.table)}` };
    const { connection } = await pool.acquire(options);
    let clean = false;
    try {
      await limitedBy(options, provision(connection.client, spec, { signal }));
      clean = true;
      provisioned = true;
    } catch (error) {
      throw postgresError(error, options);
    } finally {
      if (!clean) await connection.cancel();
      pool.release(connection, { discard: !clean });
    }
  };

  /** Runs against tables that are there. One that was dropped under the running sink is made again, once; what changed otherwise is named. */
  const withTables = async <T>(
    operation: SinkOperation,
    options: OperationOptions,
    run: () => Promise<T>,
  ): Promise<T> => {
    await open(options, operation);
    try {
      return await run();
    } catch (error) {
      if (!SinkError.isInstance(error) || (error.code !== 'NOT_FOUND' && error.code !== 'SCHEMA_MISMATCH')) throw error;
      provisioned = false;
    }
    await open(options, operation);
    return run();
  };

  const tracked = <T>(operation: SinkOperation, run: () => Promise<T>): Promise<T> => {
    if (closing !== undefined) {
      const error = new SinkError('ABORTED', `The sink ${showText(context.name)} is closed.`, {
        sinkType: 'postgres',
        operation,
      });
      return Promise.reject(error);
    }
    const settled = run().finally(() => running.delete(settled));
    running.add(settled);
    return settled;
  };

  return {
    open: (options) => tracked('open', () => open(options)),
    export: (snapshot, options) =>
      tracked('export', () => withTables('export', options, () => mode.export(snapshot, options))),
    plan: (snapshot, options) => tracked('plan', () => withTables('plan', options, () => mode.plan(snapshot, options))),
    removeInventory: (scope, options) =>
      tracked('remove-inventory', () =>
        withTables('remove-inventory', options, () => mode.removeInventory(scope, options)),
      ),
    testConnection: (options) => tracked('test-connection', () => testConnection({ context, signal: options.signal })),
    close: () => (closing ??= Promise.all([pool.close(), Promise.allSettled(running)]).then(() => undefined)),
  };
}
