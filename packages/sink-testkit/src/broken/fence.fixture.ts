import { setImmediate as nextTurn } from 'node:timers/promises';
import { SinkError, type InventorySnapshot } from '@kollect/core';
import { none } from './table-sink.fixture.ts';
import type { BrokenSink } from './broken-sink.fixture.ts';
import { commitRowByRow } from './row-by-row.fixture.ts';

export const brokenFence: readonly BrokenSink[] = [
  {
    what: 'takes equally old for older (<= where < was meant)',
    fails: 'the same snapshot twice leaves the store as once',
    rules: () => ({ isOlder: (time, held) => held !== undefined && time <= held.appliedAt }),
  },
  {
    what: 'writes an identical snapshot again',
    fails: 'the second export of a snapshot is unchanged and writes nothing',
    rules: () => ({ isSame: () => false }),
  },
  {
    what: 'has no fence',
    fails: 'an older snapshot is superseded and changes nothing',
    rules: () => ({ isOlder: () => false }),
  },
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
  {
    what: 'leaves the fence where it was when nothing changed',
    fails: 'an export that changes nothing moves the fence forward',
    rules: () => ({ fencesUnchanged: false }),
  },
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
        if (Date.parse(time) > Date.now())
          throw new SinkError('SNAPSHOT_INVALID', `${time} is ahead of ${new Date().toISOString()}.`);
      },
    }),
  },
  {
    what: 'compares and then writes without a lock',
    fails: 'two exports at once through one sink end with the newest',
    rules: () => ({ locked: false }),
  },
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
  {
    what: 'writes row by row where readers look',
    fails: 'a reader sees the old snapshot or the new one, never a mix',
    rules: () => ({ commit: commitRowByRow }),
  },
];

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  return (await Promise.race([promise, Promise.resolve(pending)])) === pending;
}
