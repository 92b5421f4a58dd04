import { SinkError } from '@kollect/core';
import type { BrokenSink } from './broken-sink.fixture.ts';
import { httpSubject } from './http-sink.fixture.ts';
import { goodRules, passedReport, type TableRules } from './table-sink.fixture.ts';

/** Commits as the good one does, and leaves its draft behind where that failed. */
const untidy: TableRules['commit'] = async (table, key, next, pause) => {
  try {
    await goodRules.commit(table, key, next, pause);
  } catch (error) {
    table.drafts.add(`${key} ${next.appliedAt}`);
    throw error;
  }
};

export const brokenWrites: readonly BrokenSink[] = [
  {
    what: 'leaves the file with which it tests its connection',
    fails: 'testConnection leaves nothing in the store, whether it passes or is aborted',
    subject: () => httpSubject({ http: { tidies: false } }),
  },
  {
    what: 'leaves its draft after an abort',
    fails: 'an export that is aborted leaves nothing in the store beside its inventory',
    rules: () => ({ commit: untidy }),
  },
  {
    what: 'leaves its draft after a write that failed',
    fails:
      'a write that fails is told as such, by testConnection too, leaves the old snapshot and nothing beside it, and the next one works',
    rules: () => ({ commit: untidy }),
  },
  {
    what: 'blames the snapshot where the store is full',
    fails:
      'a write that fails is told as such, by testConnection too, leaves the old snapshot and nothing beside it, and the next one works',
    wrap: (sink) => ({
      ...sink,
      export: async (...given) =>
        sink.export(...given).catch((error: SinkError) => {
          throw error.code === 'OVERLOADED' ? new SinkError('CONFLICT', 'Somebody else was here.') : error;
        }),
    }),
  },
  {
    what: 'tests a connection without a write',
    fails:
      'a write that fails is told as such, by testConnection too, leaves the old snapshot and nothing beside it, and the next one works',
    wrap: (sink) => ({ ...sink, testConnection: async () => passedReport }),
  },
  {
    what: 'takes a missing permission for an outage',
    fails:
      'a write for which the sink has no permission is PERMISSION_DENIED, which is not retried, and changes nothing',
    wrap: (sink) => ({
      ...sink,
      export: async (...given) =>
        sink.export(...given).catch((error: SinkError) => {
          throw error.code === 'PERMISSION_DENIED' ? new SinkError('UNAVAILABLE', 'The table is not there.') : error;
        }),
    }),
  },
  {
    what: 'retries what is not permitted',
    fails:
      'a write for which the sink has no permission is PERMISSION_DENIED, which is not retried, and changes nothing',
    wrap: (sink) => ({
      ...sink,
      export: async (...given) =>
        sink.export(...given).catch((error: SinkError) => {
          const { code, message } = error;
          throw code === 'PERMISSION_DENIED' ? new SinkError(code, message, { retryable: true }) : error;
        }),
    }),
  },
  {
    what: 'says that it wrote what it could not write',
    fails:
      'a write that fails is told as such, by testConnection too, leaves the old snapshot and nothing beside it, and the next one works',
    rules: () => ({ commit: async (...given) => goodRules.commit(...given).catch(() => undefined) }),
  },
  {
    what: 'shows what it could not write to the end',
    fails:
      'a write that fails is told as such, by testConnection too, leaves the old snapshot and nothing beside it, and the next one works',
    rules: () => ({
      commit: async (table, key, next, pause) => {
        if (table.failure !== undefined) table.scopes.set(key, { ...next, rows: new Map([...next.rows].slice(0, 3)) });
        await goodRules.commit(table, key, next, pause);
      },
    }),
  },
];
