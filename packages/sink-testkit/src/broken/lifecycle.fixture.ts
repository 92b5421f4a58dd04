import { SinkError, type ConnectionStep } from '@kollect/core';
import { createTableSink, failedReport, passedReport } from './table-sink.fixture.ts';
import { secretCanary, type BrokenSink } from './broken-sink.fixture.ts';

const [connect, privileges] = passedReport.steps as readonly [ConnectionStep, ConnectionStep];
const shown = 'testConnection passes on a store that works, opened or not, and its steps can be shown';

function reporting(what: string, fails: string, steps: readonly ConnectionStep[], ok = true): BrokenSink {
  return { what, fails, wrap: (sink) => ({ ...sink, testConnection: async () => ({ ok, steps }) }) };
}

const never = async (): Promise<never> => new Promise(() => undefined);

export const brokenLifecycle: readonly BrokenSink[] = [
  reporting('reports two steps of one name', shown, [connect, connect]),
  reporting('reports no step', shown, []),
  reporting('reports a failed step and says ok', shown, failedReport.steps),
  reporting(
    'reports a failed step without a remedy',
    shown,
    [{ ...connect, status: 'failed', code: 'UNAVAILABLE' }],
    false,
  ),
  reporting('reports a code of its own', shown, [{ ...connect, code: 'GREAT' }]),
  reporting('reports a step that it skipped for no reason', shown, [
    connect,
    { ...privileges, status: 'skipped', code: 'SKIPPED' },
  ]),
  reporting('reports a time that is none', shown, [{ ...connect, durationMs: -1 }]),
  {
    what: 'empties the store to test it',
    fails: 'testConnection leaves the store as it was, and exports go on',
    wrap: (sink, table) => ({
      ...sink,
      testConnection: async (options) => {
        table.scopes.clear();
        return sink.testConnection(options);
      },
    }),
  },
  {
    what: 'takes a closed port for the end',
    fails: 'a store that cannot be reached is UNAVAILABLE, which is retryable',
    brokenSink: (sink) => ({
      ...sink,
      open: async () => {
        throw new SinkError('UNAVAILABLE', 'Nobody listens.', { retryable: false });
      },
    }),
  },
  {
    what: 'throws the error of its client as it is',
    fails: 'a store that cannot be reached is UNAVAILABLE, which is retryable',
    brokenSink: (sink) => ({
      ...sink,
      open: async () => {
        throw new Error('connect ECONNREFUSED 127.0.0.1:1');
      },
    }),
  },
  {
    what: 'rejects testConnection where it cannot connect',
    fails: 'testConnection reports the step that failed and skips those that need it',
    brokenSink: (sink) => ({
      ...sink,
      testConnection: async () => {
        throw new SinkError('UNAVAILABLE', 'Nobody listens.');
      },
    }),
  },
  {
    what: 'reports success where nobody listens',
    fails: 'testConnection reports the step that failed and skips those that need it',
    brokenSink: (sink) => ({ ...sink, testConnection: async () => passedReport }),
  },
  {
    what: 'cannot be closed twice',
    fails: 'a sink can be closed twice, also at once',
    wrap: (sink) => {
      let closed = false;
      return {
        ...sink,
        close: async () => {
          if (closed) throw new SinkError('CONTRACT_VIOLATION', 'The sink is closed already.');
          closed = true;
        },
      };
    },
  },
  {
    what: 'cannot be closed before it was opened',
    fails: 'a sink that was never opened can be closed',
    wrap: (sink) => {
      let opened = false;
      return {
        ...sink,
        open: async () => {
          opened = true;
        },
        close: async () => {
          if (!opened) throw new SinkError('CONTRACT_VIOLATION', 'The sink was never opened.');
        },
      };
    },
  },
  {
    what: 'waits for ever when it is closed',
    fails: 'close settles a running export and itself',
    wrap: (sink) => {
      let exporting = 0;
      return {
        ...sink,
        export: async (snapshot, options) => {
          exporting += 1;
          return sink.export(snapshot, options).finally(() => (exporting -= 1));
        },
        close: async () => (exporting > 0 ? never() : sink.close()),
      };
    },
  },
  {
    what: 'never settles an export after close',
    fails: 'close settles a running export and itself',
    wrap: (sink) => ({ ...sink, export: async (snapshot, options) => sink.export(snapshot, options).catch(never) }),
  },
  {
    what: 'exports after close',
    fails: 'an export after close throws ABORTED and writes nothing',
    wrap: (sink) => ({ ...sink, close: async () => undefined }),
  },
  {
    what: 'plans after close',
    fails:
      'open, plan, removeInventory and testConnection after close end with a SinkError or a report, and write nothing',
    wrap: (sink, table) => ({
      ...sink,
      plan: async (snapshot, options) => createTableSink({ table }).plan(snapshot, options),
    }),
  },
  {
    what: 'removes after close',
    fails:
      'open, plan, removeInventory and testConnection after close end with a SinkError or a report, and write nothing',
    wrap: (sink, table) => ({
      ...sink,
      removeInventory: async (scope, options) => createTableSink({ table }).removeInventory(scope, options),
    }),
  },
  {
    what: 'lets what runs go on after close',
    fails: 'once close has resolved, an export that ran writes nothing more',
    wrap: (sink) => ({ ...sink, close: async () => undefined }),
  },
  {
    what: 'calls its end an outage',
    fails: 'an export after close throws ABORTED and writes nothing',
    wrap: (sink) => ({
      ...sink,
      export: async (...given) =>
        sink.export(...given).catch(() => {
          throw new SinkError('UNAVAILABLE', 'The sink is closed.');
        }),
    }),
  },
  {
    what: 'throws an error of its own after close',
    fails: 'an export after close throws ABORTED and writes nothing',
    wrap: (sink) => ({
      ...sink,
      export: async (...given) =>
        sink.export(...given).catch(() => {
          throw new TypeError('Cannot use a pool after calling end on the pool');
        }),
    }),
  },
  {
    what: 'calls itself by another name in its errors',
    fails: 'an export after close throws ABORTED and writes nothing',
    wrap: (sink) => ({
      ...sink,
      export: async (...given) =>
        sink.export(...given).catch(() => {
          throw new SinkError('UNAVAILABLE', 'The sink is closed.', { sinkType: 'desk' });
        }),
    }),
  },
  {
    what: 'shares one pool among its sinks',
    fails: 'one sink goes on when another of the same store is closed',
    says: /closed/,
    wrap: (sink, table) => ({
      ...sink,
      export: async (snapshot, options) => {
        if (table.scopes.has('closed')) throw new SinkError('UNAVAILABLE', 'The pool is closed.');
        return sink.export(snapshot, options);
      },
      close: async () => {
        table.scopes.set('closed', { rows: new Map(), appliedAt: '' });
        await sink.close();
      },
    }),
  },
  {
    what: 'puts its password into an error',
    fails: 'no error, report or result holds a secret of the credentials',
    brokenSink: (sink) => ({
      ...sink,
      export: async () => {
        throw new SinkError('UNAVAILABLE', `Cannot log in to 127.0.0.1:1 with ${secretCanary}.`);
      },
    }),
  },
  {
    what: 'hangs the error of its client, with its options, under cause',
    fails: 'no error, report or result holds a secret of the credentials',
    brokenSink: (sink) => ({
      ...sink,
      export: async () => {
        const cause = Object.assign(new Error('refused'), { options: { password: secretCanary } });
        throw new SinkError('UNAVAILABLE', 'Cannot reach the store.', { cause });
      },
    }),
  },
  {
    what: 'shows its password in a connection report',
    fails: 'no error, report or result holds a secret of the credentials',
    wrap: (sink) => ({
      ...sink,
      testConnection: async () => ({ ...passedReport, steps: [{ ...connect, found: `password ${secretCanary}` }] }),
    }),
  },
  {
    what: 'quotes the row that it refused',
    fails: 'no error holds the content of an item',
    wrap: (sink) => ({
      ...sink,
      export: async (snapshot, options) =>
        sink.export(snapshot, options).catch(() => {
          throw new SinkError(
            'BACKEND_ERROR',
            `Failing row contains ${JSON.stringify(snapshot.items[0]?.attributes)}.`,
          );
        }),
    }),
  },
];
