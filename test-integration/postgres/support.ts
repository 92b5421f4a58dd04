import { setTimeout as sleep } from 'node:timers/promises';
import { createDatabase, type DatabaseAccess, type PostgresConnection } from '../servers/postgres-database.ts';

/** The PostgreSQL of this test run, which global-setup started. */
export function testServer(): PostgresConnection {
  const described = process.env['KOLLECT_TEST_POSTGRES'];
  if (!described)
    throw new Error(
      'KOLLECT_TEST_POSTGRES is not set: run integration tests through jest, whose global-setup starts a server.',
    );
  const connection: PostgresConnection = JSON.parse(described);
  return connection;
}

/** A fresh database with a random name on the server of this test run; drop it in `afterAll`. */
export function openTestDatabase(): Promise<DatabaseAccess> {
  return createDatabase(testServer());
}

type Falsy = undefined | null | false | 0 | '';

/** Asks until the condition gives something true, and resolves to it; `what` names the condition in the error when it never does. */
export async function waitUntil<T>(
  condition: () => T | Falsy | Promise<T | Falsy>,
  { what, timeoutMs = 10_000 }: { readonly what: string; readonly timeoutMs?: number },
): Promise<T> {
  for (const end = Date.now() + timeoutMs; ; await sleep(20)) {
    const result = await condition();
    if (result) return result;
    if (Date.now() > end) throw new Error(`Waited ${timeoutMs} ms in vain until ${what}.`);
  }
}
