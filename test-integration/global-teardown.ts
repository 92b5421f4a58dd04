import type { PostgresServer } from './servers/index.ts';

const HELD = Symbol.for('kollect.test.postgres');

/** Ends the PostgreSQL that global-setup started; one that the caller started stays. */
export default async function globalTeardown(): Promise<void> {
  const held = globalThis as { [HELD]?: PostgresServer };
  if (!held[HELD]) return;
  await held[HELD].stop();
  delete held[HELD];
  delete process.env['KOLLECT_TEST_POSTGRES'];
}
