import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import type { KollectSink } from '@kollect/core';
import type { DatabaseAccess } from '../servers/postgres-database.ts';
import { sinkOver, type SinkBlock } from './sink.ts';
import { openTestDatabase } from '../support/postgres.ts';

export interface Store {
  /** The database of this test file; it is there from the first hook on. */
  readonly database: DatabaseAccess;
  /** A sink over it that is closed after the test. */
  open(spec?: SinkBlock): KollectSink;
}

/** Gives a test file a database of its own, emptied before each test. */
export function useStore(defaults: SinkBlock = {}): Store {
  let opened: DatabaseAccess | undefined;
  let sinks: KollectSink[] = [];
  const database = (): DatabaseAccess => {
    if (opened === undefined) throw new Error('The database of a test file is there from beforeAll on.');
    return opened;
  };
  beforeAll(async () => {
    opened = await openTestDatabase();
  });
  beforeEach(async () => {
    await database().query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
  });
  afterEach(async () => {
    await Promise.all(sinks.map((sink) => sink.close()));
    sinks = [];
  });
  afterAll(() => database().drop());
  return {
    get database() {
      return database();
    },
    open(spec = {}) {
      const sink = sinkOver(database(), { spec: { ...defaults, ...spec } });
      sinks.push(sink);
      return sink;
    },
  };
}
