import { setImmediate as nextTurn } from 'node:timers/promises';
import { SinkError } from '@kollect/core';
import { abortError } from './table-sink.fixture.ts';
import type { BrokenSink } from './broken-sink.fixture.ts';
import { commitRowByRow } from './row-by-row.fixture.ts';

export const brokenAbort: readonly BrokenSink[] = [
  {
    what: 'does not look at the signal',
    fails: 'an export whose signal is aborted already throws ABORTED and writes nothing',
    wrap: (sink) => ({
      ...sink,
      export: async (snapshot, options) => sink.export(snapshot, { ...options, signal: new AbortController().signal }),
    }),
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
    wrap: (sink) => ({
      ...sink,
      removeInventory: async (scope, options) =>
        sink.removeInventory(scope, { ...options, signal: new AbortController().signal }),
    }),
  },
  {
    what: 'reports a connection though it was told to stop',
    fails: 'open, plan, removeInventory and testConnection throw ABORTED where the signal is aborted already',
    wrap: (sink) => ({
      ...sink,
      testConnection: async () => sink.testConnection({ signal: new AbortController().signal }),
    }),
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
    says: /busy/,
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
    what: 'throws the reason of the signal out of the middle of a plan',
    fails: 'open, plan and testConnection that are aborted midway end, as ABORTED or well, and the sink goes on',
    wrap: (sink) => ({
      ...sink,
      plan: async (snapshot, options) => {
        const plan = await sink.plan(snapshot, { ...options, signal: new AbortController().signal });
        await nextTurn();
        options.signal.throwIfAborted();
        return plan;
      },
    }),
  },
];
