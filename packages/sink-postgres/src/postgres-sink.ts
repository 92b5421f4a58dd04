import { defineSink, formatScope, SinkError, type KollectSink } from '@kollect/core';
import { createOperations, showText, type OperationScope } from '@kollect/core/authoring';
import { createAppendMode } from './append/append.ts';
import { createClientPool } from './wire/client-pool.ts';
import type { PostgresContext } from './postgres-client.ts';
import { postgresError } from './postgres-errors.ts';
import { resolvePostgresSpec } from './postgres-spec.ts';
import { postgresCredentialFields, postgresSpecSchema } from './postgres-spec-schema.ts';
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
  const operations = createOperations({ sinkType: 'postgres', name: context.name, classify: postgresError });
  let provisioned = false;

  const open = async (scope: OperationScope): Promise<void> => {
    if (provisioned) return;
    const doing = `preparing table ${showText(spec.table)}`;
    await runner.client({ scope, doing }, (client) => provision(client, spec, scope));
    provisioned = true;
  };

  /** Runs against tables that are there. One that was dropped under the running sink is made again, once; what changed otherwise is named. */
  const withTables = async <T>(scope: OperationScope, run: () => Promise<T>): Promise<T> => {
    await open(scope);
    try {
      return await run();
    } catch (error) {
      if (!SinkError.isInstance(error) || (error.code !== 'NOT_FOUND' && error.code !== 'SCHEMA_MISMATCH')) throw error;
      provisioned = false;
    }
    await open(scope);
    return run();
  };

  return {
    open: ({ signal }) => operations.run({ operation: 'open', doing: 'opening the sink', signal }, open),
    export: (snapshot, { signal, allowDeletes = false }) => {
      const doing = `exporting inventory ${formatScope(snapshot)}`;
      return operations.run({ operation: 'export', doing, signal }, (scope) =>
        withTables(scope, () => mode.export(scope, snapshot, { allowDeletes })),
      );
    },
    plan: (snapshot, { signal, allowDeletes = false }) => {
      const doing = `planning the export of ${formatScope(snapshot)}`;
      return operations.run({ operation: 'plan', doing, signal }, (scope) =>
        withTables(scope, () => mode.plan(scope, snapshot, { allowDeletes })),
      );
    },
    removeInventory: (inventory, { signal, removedAt }) => {
      const doing = `removing inventory ${formatScope(inventory)}`;
      return operations.run({ operation: 'remove-inventory', doing, signal }, (scope) =>
        withTables(scope, () => mode.removeInventory(scope, inventory, removedAt)),
      );
    },
    testConnection: ({ signal }) =>
      operations.run({ operation: 'test-connection', doing: 'testing the connection', signal }, (scope) =>
        testConnection(context, scope),
      ),
    close: () => operations.close(() => pool.close()),
  };
}
