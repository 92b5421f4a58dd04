import { setImmediate as nextTurn } from 'node:timers/promises';
import { SinkError, type InventorySnapshot } from '@kollect/core';
import { abortError, none, scopeKey, type Table, type TableScope } from './table-sink.fixture.ts';
import type { BrokenSink } from './broken-sink.fixture.ts';

/** Row by row, where a reader and an abort come in between. */
async function commitRowByRow(table: Table, key: string, next: TableScope, pause: () => Promise<void>): Promise<void> {
  const rows = new Map(table.scopes.get(key)?.rows);
  let written = 0;
  for (const [rowKey, row] of next.rows) {
    rows.set(rowKey, row);
    table.scopes.set(key, { ...next, rows });
    written += 1;
    if (written % 50 === 0) await pause();
  }
  table.scopes.set(key, next);
}

export const brokenFence: readonly BrokenSink[] = [
  {
    what: 'takes equally old for older (<= where < was meant)',
    fails: 'the same snapshot twice leaves the store as once',
    rules: () => ({ isOlder: (time, held) => held !== undefined && time <= held.appliedAt }),
  },
  { what: 'writes an identical snapshot again', fails: 'the second export of a snapshot is unchanged and writes nothing', rules: () => ({ isSame: () => false }) },
  { what: 'has no fence', fails: 'an older snapshot is superseded and changes nothing', rules: () => ({ isOlder: () => false }) },
  {
    what: 'says superseded and writes all the same',
    fails: 'an older snapshot is superseded and changes nothing',
    rules: () => ({ isOlder: () => false }),
    wrap: (sink) => {
      let newest = '';
      return {
        ...sink,
        export: async (snapshot, options) => {
          const result = await sink.export(snapshot, options);
          if (snapshot.exportedAt < newest) return { ...result, outcome: 'superseded', counts: none };
          newest = snapshot.exportedAt;
          return result;
        },
      };
    },
  },
  {
    what: 'keeps its fence in memory',
    fails: 'the fence stands in the store: another sink supersedes an older snapshot, too',
    rules: () => {
      let newest = '';
      return {
        isOlder: (time) => {
          if (time < newest) return true;
          newest = time;
          return false;
        },
      };
    },
  },
  { what: 'leaves the fence where it was when nothing changed', fails: 'an export that changes nothing moves the fence forward', rules: () => ({ fencesUnchanged: false }) },
  {
    what: 'knows a snapshot by its time',
    fails: 'of two snapshots with one exportedAt and different content the one that comes last is held',
    rules: () => ({ isSame: (snapshot, held) => held?.appliedAt === snapshot.exportedAt }),
  },
  {
    what: 'stays behind its fence once it was superseded',
    fails: 'a newer snapshot is applied after an older one was superseded',
    rules: () => {
      let stuck = false;
      return { isOlder: (time, held) => (stuck ||= held !== undefined && time < held.appliedAt) };
    },
  },
  {
    what: 'has one fence for all scopes',
    fails: 'the fence of one scope leaves other scopes alone',
    rules: () => {
      let newest = '';
      return {
        isOlder: (time) => {
          if (time < newest) return true;
          newest = time;
          return false;
        },
      };
    },
  },
  {
    what: 'believes any clock',
    fails: 'an exportedAt more than ten minutes ahead is refused, naming both times, and nothing is written',
    rules: () => ({ refuseFuture: () => undefined }),
  },
  {
    what: 'refuses a time from the future without naming it',
    fails: 'an exportedAt more than ten minutes ahead is refused, naming both times, and nothing is written',
    rules: () => ({
      refuseFuture: (_field, time) => {
        if (Date.parse(time) > Date.now()) throw new SinkError('SNAPSHOT_INVALID', 'The clock is wrong.');
      },
    }),
  },
  {
    what: 'demands clocks that agree',
    fails: 'an exportedAt five minutes ahead is accepted: clocks differ',
    says: /ahead/,
    rules: () => ({
      refuseFuture: (_field, time) => {
        if (Date.parse(time) > Date.now()) throw new SinkError('SNAPSHOT_INVALID', `${time} is ahead of ${new Date().toISOString()}.`);
      },
    }),
  },
  { what: 'compares and then writes without a lock', fails: 'two exports at once through one sink end with the newest', rules: () => ({ locked: false }) },
  {
    what: 'gives up when another sink is writing',
    fails: 'ten rounds of two sinks on one scope end each with the newest, without an error',
    says: /deadlock/,
    wrap: (sink, table) => ({
      ...sink,
      export: async (snapshot, options) => {
        const busy = table.tail;
        const running = sink.export(snapshot, options);
        await nextTurn();
        if (busy !== table.tail && (await isPending(busy))) {
          await running;
          throw new SinkError('OVERLOADED', 'A deadlock was found.');
        }
        return running;
      },
    }),
  },
  {
    what: 'keeps the newest snapshot of all scopes',
    fails: 'exports of different scopes at once all arrive',
    wrap: (sink) => {
      let latest: InventorySnapshot | undefined;
      return {
        ...sink,
        export: async (snapshot, options) => {
          latest = snapshot;
          await nextTurn();
          return sink.export(latest, options);
        },
      };
    },
  },
  { what: 'writes row by row where readers look', fails: 'a reader sees the old snapshot or the new one, never a mix', rules: () => ({ commit: commitRowByRow }) },
  {
    what: 'does not look at the signal',
    fails: 'an export whose signal is aborted already throws ABORTED and writes nothing',
    wrap: (sink) => ({ ...sink, export: async (snapshot, options) => sink.export(snapshot, { ...options, signal: new AbortController().signal }) }),
  },
  {
    what: 'writes first and looks at the signal then',
    fails: 'an export whose signal is aborted already throws ABORTED and writes nothing',
    wrap: (sink) => ({
      ...sink,
      export: async (snapshot, options) => {
        const result = await sink.export(snapshot, { ...options, signal: new AbortController().signal });
        if (options.signal.aborted) throw abortError(options.signal);
        return result;
      },
    }),
  },
  {
    what: 'throws the reason of the signal as it is',
    fails: 'an export whose signal is aborted already throws ABORTED and writes nothing',
    wrap: (sink) => ({
      ...sink,
      export: async (snapshot, options) => {
        options.signal.throwIfAborted();
        return sink.export(snapshot, options);
      },
    }),
  },
  {
    what: 'takes a time limit for an abort',
    fails: 'an export whose signal aborts with a TimeoutError throws TIMEOUT, which is retryable',
    wrap: (sink) => ({
      ...sink,
      export: async (snapshot, options) => {
        if (options.signal.aborted) throw new SinkError('ABORTED', 'The caller aborted.');
        return sink.export(snapshot, options);
      },
    }),
  },
  {
    what: 'removes an inventory though it was told to stop',
    fails: 'open, plan, removeInventory and testConnection throw ABORTED where the signal is aborted already',
    wrap: (sink) => ({ ...sink, removeInventory: async (scope, options) => sink.removeInventory(scope, { ...options, signal: new AbortController().signal }) }),
  },
  {
    what: 'reports a connection though it was told to stop',
    fails: 'open, plan, removeInventory and testConnection throw ABORTED where the signal is aborted already',
    wrap: (sink) => ({ ...sink, testConnection: async () => sink.testConnection({ signal: new AbortController().signal }) }),
  },
  {
    what: 'leaves half of the rows after an abort',
    fails: 'an export that is aborted midway leaves the old snapshot or the new one, and the next export works',
    rules: () => ({ commit: commitRowByRow }),
  },
  {
    what: 'throws ABORTED and goes on writing',
    fails: 'an export that is aborted midway leaves the old snapshot or the new one, and the next export works',
    wrap: (sink) => ({
      ...sink,
      export: async (snapshot, options) => {
        const running = sink.export(snapshot, { ...options, signal: new AbortController().signal });
        const aborted = new Promise<never>((_resolve, reject) => {
          options.signal.addEventListener('abort', () => reject(abortError(options.signal)), { once: true });
        });
        return Promise.race([running, aborted]);
      },
    }),
  },
  {
    what: 'is stuck after an abort',
    fails: 'an export that is aborted midway leaves the old snapshot or the new one, and the next export works',
    wrap: (sink) => {
      let busy = false;
      return {
        ...sink,
        export: async (snapshot, options) => {
          if (busy) throw new SinkError('ABORTED', 'The connection is busy.');
          busy = true;
          const result = await sink.export(snapshot, options);
          busy = false;
          return result;
        },
      };
    },
    says: /busy|ERR_ASSERTION/,
  },
  {
    what: 'leaves a listener on the signal',
    fails: "no listener stays on the caller's signal",
    wrap: (sink) => ({
      ...sink,
      export: async (snapshot, options) => {
        options.signal.addEventListener('abort', () => undefined);
        return sink.export(snapshot, options);
      },
    }),
  },
  {
    what: 'forgets the scope of its fence when it compares',
    fails: 'an older snapshot is superseded and changes nothing',
    wrap: (sink, table) => ({
      ...sink,
      export: async (snapshot, options) => {
        const held = table.scopes.get(scopeKey(snapshot));
        if (held !== undefined) table.scopes.set(scopeKey(snapshot), { ...held, appliedAt: '' });
        return sink.export(snapshot, options);
      },
    }),
  },
];

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  return (await Promise.race([promise, Promise.resolve(pending)])) === pending;
}
