import { scope, UserError } from '@kollect/example-sample-cluster';
import { Client } from 'pg';
import type { TlsMode } from './options.ts';

export const table = 'kollect_demo';

const local = new Set(['localhost', '127.0.0.1', '[::1]', '::1']);

/** A server, by DSN and TLS mode. */
export interface Server {
  readonly dsn: string;
  readonly database: string;
  readonly tls: TlsMode;
}

/** Reads a DSN such as `postgresql://user:password@host:5432/database`; its text is never part of an error. */
export function parseServer(dsn: string, tls?: TlsMode): Server {
  if (!URL.canParse(dsn))
    throw new UserError(
      '--dsn is not a URL. Write postgresql://user:password@host:5432/database, special characters percent-encoded.',
    );
  const { protocol, hostname, pathname, searchParams } = new URL(dsn);
  if (!/^postgres(ql)?:$/u.test(protocol))
    throw new UserError(
      '--dsn does not start with postgresql://. Write postgresql://user:password@host:5432/database.',
    );
  if (searchParams.has('sslmode')) throw new UserError('--dsn holds sslmode. Leave it out and give --tls instead.');
  const database = decodeURIComponent(pathname.slice(1));
  if (database === '')
    throw new UserError('--dsn names no database. Add it at the end: postgresql://user:password@host:5432/database.');
  return { dsn, database, tls: tls ?? (local.has(hostname) ? 'disable' : 'verify-full') };
}

/** The sink's resource, as an operator has it: a spec, and credentials that stay out of it. */
export function postgresResource({ dsn, database, tls }: Server) {
  return {
    name: 'postgres',
    config: { type: 'postgres', postgres: { database, table, tls: { mode: tls } } },
    connection: { credentials: { dsn } },
  } as const;
}

/** One row of the table. */
export interface Row {
  readonly uid: string;
  readonly gvk: string;
  readonly namespace: string;
  readonly name: string;
  readonly changedAt: Date;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** The rows of the demo's inventory, as anybody with SQL reads them. */
export async function readRows({ dsn, tls }: Server): Promise<readonly Row[]> {
  const ssl = {
    rejectUnauthorized: tls !== 'require',
    ...(tls === 'verify-ca' && { checkServerIdentity: () => undefined }),
  };
  const client = new Client({ connectionString: dsn, ssl: tls === 'disable' ? false : ssl });
  await client.connect();
  try {
    const { rows } = await client.query<Row>(
      `SELECT source_uid AS uid, gvk, payload->>'namespace' AS namespace, payload->>'name' AS name,
              exported_at AS "changedAt", payload->'attributes' AS attributes
       FROM ${table} WHERE cluster = $1 AND inventory_namespace = $2 AND inventory_name = $3
       ORDER BY gvk COLLATE "C", payload->>'namespace' COLLATE "C", payload->>'name' COLLATE "C"`,
      [scope.cluster, scope.inventoryNamespace, scope.inventoryName],
    );
    return rows;
  } finally {
    await client.end();
  }
}
