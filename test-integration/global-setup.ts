import { startPostgres, type PostgresServer } from './servers/index.ts';

const HELD = Symbol.for('kollect.test.postgres');

/** Starts the one PostgreSQL that all test files share, unless KOLLECT_TEST_POSTGRES names a server that the caller started. */
export default async function globalSetup(): Promise<void> {
  if (process.env['KOLLECT_TEST_POSTGRES']) {
    process.stdout.write('Tests use the PostgreSQL that KOLLECT_TEST_POSTGRES names.\n');
    return;
  }
  const started = Date.now();
  const server = await startPostgres({ tls: true });
  const { kind, version, host, port, superuser, database, ca, clientCertificate } = server;
  process.env['KOLLECT_TEST_POSTGRES'] = JSON.stringify({ kind, version, host, port, superuser, database, ca, clientCertificate });
  (globalThis as { [HELD]?: PostgresServer })[HELD] = server;
  process.stdout.write(`Tests use PostgreSQL ${version} (${kind}) on ${host}:${port}, started in ${Date.now() - started} ms.\n`);
}
