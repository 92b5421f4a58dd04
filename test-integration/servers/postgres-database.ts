import { randomBytes } from 'node:crypto';
import { Client, type ClientConfig, type QueryResultRow } from 'pg';
import type { KeyPair } from './certificates.ts';

/** All that is needed to reach a server, as plain data: it goes through the environment to test workers. */
export interface PostgresConnection {
  /** How the server was started. */
  readonly kind: 'containers' | 'embedded' | 'system';
  /** What the server says about itself: `server_version`. */
  readonly version: string;
  readonly host: string;
  readonly port: number;
  readonly superuser: { readonly username: string; readonly password: string };
  /** The database that is always there. */
  readonly database: string;
  /** The authority of the server's certificate, PEM; undefined when the server has no TLS. */
  readonly ca?: string;
  /** For the role that may connect with a certificate alone; its commonName is the role's name. */
  readonly clientCertificate?: KeyPair & { readonly username: string };
}

/** One database and how to reach it as the superuser. */
export interface DatabaseAccess {
  readonly dsn: string;
  readonly credentials: {
    readonly username: string;
    readonly password: string;
    readonly host: string;
    readonly port: number;
  };
  readonly database: string;
  readonly ca?: string;
  /** Runs one statement on a connection of its own, so that it works right after a restart; resolves to the rows. */
  query<Row extends QueryResultRow = QueryResultRow>(sql: string, params?: unknown[]): Promise<Row[]>;
  /** A new connected client, which the caller ends; the server ending it is not an unhandled error. */
  client(config?: ClientConfig): Promise<Client>;
  /** Removes the database, and with it every connection to it. */
  drop(): Promise<void>;
}

/** What `dsn` is made from, when not of the superuser and the server's own database. */
export interface DsnOptions {
  readonly username?: string;
  readonly password?: string;
  readonly database?: string;
}

/** A connection string without TLS settings. */
export function dsnOf(
  connection: Pick<PostgresConnection, 'host' | 'port' | 'superuser' | 'database'>,
  options: DsnOptions = {},
): string {
  const {
    username = connection.superuser.username,
    password = connection.superuser.password,
    database = connection.database,
  } = options;
  const user = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
  return `postgresql://${user}@${connection.host}:${connection.port}/${encodeURIComponent(database)}`;
}

/** Connects as the superuser. */
export async function connect(connection: PostgresConnection, config: ClientConfig = {}): Promise<Client> {
  const { host, port, superuser, database } = connection;
  const client = new Client({
    host,
    port,
    user: superuser.username,
    password: superuser.password,
    database,
    connectionTimeoutMillis: 30_000,
    ...config,
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Runs one statement as the superuser on a connection of its own. */
export async function queryOnce<Row extends QueryResultRow = QueryResultRow>(
  connection: PostgresConnection,
  sql: string,
  params: unknown[] = [],
): Promise<Row[]> {
  const client = await connect(connection);
  try {
    return (await client.query<Row>(sql, params)).rows;
  } finally {
    await client.end();
  }
}

/** Makes a database; without a name it gets a random one. */
export async function createDatabase(connection: PostgresConnection, name?: string): Promise<DatabaseAccess> {
  const database = name ?? `test_${randomBytes(6).toString('hex')}`;
  const within: PostgresConnection = { ...connection, database };
  const identifier = `"${database.replaceAll('"', '""')}"`;
  await queryOnce(connection, `CREATE DATABASE ${identifier}`);
  return {
    dsn: dsnOf(within),
    credentials: { ...connection.superuser, host: connection.host, port: connection.port },
    database,
    ...(connection.ca !== undefined && { ca: connection.ca }),
    query: (sql, params) => queryOnce(within, sql, params),
    client: (config) => connect(within, config),
    async drop() {
      await queryOnce(connection, `DROP DATABASE IF EXISTS ${identifier} WITH (FORCE)`);
    },
  };
}
