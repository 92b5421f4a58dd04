import { startPostgres, type PostgresServer } from './postgres.ts';

const VARIABLE = 'KOLLECT_TEST_POSTGRES';
let shared: PostgresServer | undefined;

/** Starts the server that all test files share and describes it in KOLLECT_TEST_POSTGRES; one that the caller named there is left as it is. */
export async function startSharedPostgres(): Promise<void> {
  if (process.env[VARIABLE]) {
    process.stdout.write(`Tests use the PostgreSQL that ${VARIABLE} describes.\n`);
    return;
  }
  const started = Date.now();
  shared = await startPostgres();
  const { kind, version, host, port, superuser, database, ca, clientCertificate } = shared;
  process.env[VARIABLE] = JSON.stringify({ kind, version, host, port, superuser, database, ca, clientCertificate });
  process.stdout.write(
    `Tests use PostgreSQL ${version} (${kind}) on ${host}:${port}, started in ${Date.now() - started} ms.\n`,
  );
}

/** Ends the server that `startSharedPostgres` started, if it did. */
export async function stopSharedPostgres(): Promise<void> {
  if (!shared) return;
  await shared.stop();
  shared = undefined;
  delete process.env[VARIABLE];
}
