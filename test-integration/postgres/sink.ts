import {
  createSinkRegistry,
  sealSnapshot,
  type Egress,
  type HostIdentityGrant,
  type InventorySnapshot,
  type Item,
  type KollectSink,
  type SinkConnection,
  type SnapshotInput,
} from '@kollect/core';
import { keepsInventories, sealKept } from './kept-inventories.ts';
import { postgresSink, type PostgresSpec } from '@kollect/sink-postgres';
import type { DatabaseAccess } from '../servers/postgres-database.ts';

export type SinkBlock = Partial<PostgresSpec>;

export interface TestSinkOptions extends Pick<SinkConnection, 'name' | 'logger'> {
  readonly spec?: SinkBlock;
  readonly credentials?: Readonly<Record<string, string>> | (() => Readonly<Record<string, string>>);
  readonly egress?: Egress;
  readonly hostIdentity?: readonly HostIdentityGrant[];
}

/** A sink over `inventory` of the database; without TLS unless the spec says otherwise. */
export function sinkOver(
  database: Pick<DatabaseAccess, 'database' | 'credentials'>,
  options: TestSinkOptions = {},
): KollectSink {
  const { username, password, host, port } = database.credentials;
  const { egress, hostIdentity, name = 'test', logger } = options;
  const registry = createSinkRegistry([postgresSink], {
    ...(egress === undefined ? {} : { egress }),
    ...(hostIdentity === undefined ? {} : { hostIdentity }),
  });
  return registry.create(
    {
      type: 'postgres',
      postgres: { database: database.database, table: 'inventory', tls: { mode: 'disable' }, ...options.spec },
    },
    {
      name,
      credentials: options.credentials ?? { username, password, host, port: String(port) },
      ...(logger === undefined ? {} : { logger }),
    },
  );
}

/** A signal that ends what hangs, so that a test fails with words and not with a timeout of jest. */
export function limit(ms = 25_000): { readonly signal: AbortSignal } {
  return { signal: AbortSignal.timeout(ms) };
}

export function item(
  name: string,
  attributes: Readonly<Record<string, unknown>> = {},
  identity: Partial<Item> = {},
): Item {
  return {
    targetNamespace: 'platform',
    targetName: 'deployments',
    namespace: 'shop',
    name,
    group: 'apps',
    version: 'v1',
    kind: 'Deployment',
    uid: `uid-${name}`,
    attributes,
    ...identity,
  };
}

export function items(
  count: number,
  attributes: (index: number) => Readonly<Record<string, unknown>> = (index) => ({ index }),
): Item[] {
  return Array.from({ length: count }, (_, index) => item(`web-${index}`, attributes(index)));
}

/** A snapshot of `team-a/web` in cluster `prod`; `at` is minutes past a fixed hour. */
export async function snapshot(
  at: number,
  content: Iterable<Item>,
  input: Partial<SnapshotInput> = {},
): Promise<InventorySnapshot> {
  const whole = {
    cluster: 'prod',
    inventoryNamespace: 'team-a',
    inventoryName: 'web',
    generation: 1,
    exportedAt: new Date(Date.UTC(2026, 0, 31, 12, at)),
    items: content,
    ...input,
  };
  return keepsInventories ? sealKept(whole) : sealSnapshot(whole);
}

/** What the table holds, by uid: read with plain SQL, so that the sink's own reading cannot hide its error. */
export async function tableContents(database: DatabaseAccess, where = 'true'): Promise<ReadonlyMap<string, unknown>> {
  const rows = await database.query<{ key: string; payload: unknown }>(
    `SELECT concat_ws('|', cluster, inventory_namespace, inventory_name, target_name, source_uid) AS key, payload FROM public.inventory WHERE ${where}`,
  );
  return new Map(rows.map(({ key, payload }) => [key, payload]));
}

/** What the table should hold after these snapshots, each of a scope of its own. */
export function contentsOf(...snapshots: readonly InventorySnapshot[]): ReadonlyMap<string, unknown> {
  return new Map(
    snapshots.flatMap((one) =>
      one.items.map((entry) => {
        const key = [one.cluster ?? '', one.inventoryNamespace, one.inventoryName, entry.targetName, entry.uid].join(
          '|',
        );
        return [key, JSON.parse(Buffer.from(entry.json).toString('utf8'))] as const;
      }),
    ),
  );
}
