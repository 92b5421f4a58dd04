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
