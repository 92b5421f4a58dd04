// node hostile-exports.fixture.ts LOGIN COUNT SPEC: exports so often at once, each by a sink of its own, and prints how each ended and the memory it took.
import { fileURLToPath } from 'node:url';
import { SinkError } from '@kollect/core';
import { items, limit, sinkOver, snapshot } from './sink.ts';
import type { DatabaseAccess } from '../servers/postgres-database.ts';

/** For the test to start as a program of its own, with little memory. */
export const programPath = fileURLToPath(import.meta.url);

export interface HostileRun {
  /** `applied`, or the code of the error. */
  readonly endings: readonly string[];
  readonly messages: readonly string[];
  readonly megabytes: number;
}

const [, script, login = '{}', count = '1', spec = '{}'] = process.argv;
if (script === programPath) {
  const database = JSON.parse(login) as Pick<DatabaseAccess, 'database' | 'credentials'>;
  const sealed = await snapshot(0, items(50));
  const ends = await Promise.all(
    Array.from({ length: Number(count) }, async () => {
      const sink = sinkOver(database, { spec: JSON.parse(spec) as object });
      try {
        return [(await sink.export(sealed, limit())).outcome, ''] as const;
      } catch (error) {
        return SinkError.isInstance(error)
          ? ([error.code, error.message] as const)
          : (['FOREIGN', String(error)] as const);
      } finally {
        await sink.close();
      }
    }),
  );
  const run: HostileRun = {
    endings: ends.map(([ending]) => ending),
    messages: ends.map(([, message]) => message),
    megabytes: process.memoryUsage().rss / 1_000_000,
  };
  process.stdout.write(JSON.stringify(run));
}
