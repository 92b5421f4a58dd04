import assert from 'node:assert/strict';
import type { KollectSink } from '@kollect/core';
import type { Check } from '../../check.ts';
import type { CheckContext } from '../../check-context.ts';
import { startTrap } from '../../faults/listener.ts';
import { given } from '../../check-harness.ts';
import { leftoversOf } from '../../leftovers.ts';
import { everyOperation, runEveryOperation } from '../../operations.ts';
import { eventually } from '../../patience.ts';
import { watchResources } from '../../watch/resources.ts';

/** How long handles may take to be gone after close, in milliseconds. */
const settleMs = 2000;

/** What a sink does to the process that it shares with its host. */
export const processChecks: readonly Check[] = [
  {
    name: 'making a sink does nothing: no file, no socket, no timer',
    run: async (context) => {
      // What is loaded when the first sink is made is not this one's work.
      await context.createSink();
      const resources = watchResources();
      try {
        await resources.run(() => context.createSink());
        assert.deepEqual(
          resources.made(),
          [],
          'Making a sink began work of the kinds listed; connecting is for open or the first export.',
        );
      } finally {
        resources.stop();
      }
    },
  },
  {
    name: 'a sink that is closed right after it was made has touched nothing of the store',
    needs: ['hooks.leftovers'],
    run: async (context) => {
      const before = await leftoversOf(context);
      const sink = await context.createSink();
      await sink.close();
      assert.deepEqual(await leftoversOf(context), before, 'Something is in the store that was not there before.');
    },
  },
  {
    name: 'a sink prints nothing: neither to stdout and stderr nor to the console',
    run: async (context) => {
      const sink = await context.createSink();
      await runEveryOperation(context, sink);
      const { operations } = await everyOperation(context);
      for (const { start } of operations) await quietly(context, start(sink, { signal: AbortSignal.abort() }));
      const broken = given(context.harness, 'brokenSink') === true ? [await context.brokenSink()] : [];
      const { signal } = new AbortController();
      for (const each of broken)
        await Promise.all(operations.map(({ start }) => quietly(context, start(each, { signal }))));
      await sink.close();
      for (const { start } of operations) await quietly(context, start(sink, { signal }));
    },
  },
  {
    name: 'after close nothing of a sink keeps the process alive, and no socket is open',
    run: async (context) => {
      const resources = watchResources();
      try {
        const make = [
          context.createSink,
          ...(given(context.harness, 'brokenSink') === true ? [context.brokenSink] : []),
        ];
        for (const create of make) {
          const sink = await create();
          await resources.run(() => useAndClose(context, sink));
        }
        const openSockets = (): number => context.watch.sockets.filter((socket) => !socket.destroyed).length;
        const isGone = (): boolean => resources.holding().length === 0 && openSockets() === 0;
        await eventually(isGone, Math.min(settleMs, context.patienceMs));
        assert.deepEqual(resources.holding(), [], 'A sink that is closed holds what is listed.');
        assert.equal(openSockets(), 0, 'A sink that is closed has open sockets.');
      } finally {
        resources.stop();
      }
    },
  },
  {
    name: 'every socket that waits has a listener for its error, so that a connection that dies ends no process',
    run: async (context) => {
      const sink = await context.openSink();
      await context.export(sink, await context.snapshot(context.scope(), { items: context.items(3) }));
      const deaf = context.watch.sockets.filter(
        (socket) => !socket.destroyed && socket.listenerCount('error') === 0,
      ).length;
      assert.equal(deaf, 0, 'A socket without a listener for "error" ends the process of the host when it is reset.');
    },
  },
  {
    name: "a sink takes nothing of the host's own: no proxy, no cloud's credentials, no configuration of a client",
    run: async (context) => {
      const trap = await startTrap();
      const restore = setEnvironment(trap.port);
      context.atEnd(async () => {
        restore();
        await trap.close();
      });
      const canary = context.watch.lookFor(environmentCanary);
      await runEveryOperation(context, await context.createSink());
      assert.equal(trap.accepted, 0, 'The sink dialled an address that stands in a variable of the environment.');
      assert.equal(canary.found, false, 'The sink sent something that stands in a variable of the environment.');
    },
  },
];

async function useAndClose(context: CheckContext, sink: KollectSink): Promise<void> {
  const { signal } = new AbortController();
  const snapshot = await context.snapshot(context.scope(), { items: context.items(3) });
  await quietly(context, sink.open?.({ signal }));
  await quietly(context, sink.export(snapshot, { signal }));
  await quietly(context, sink.plan?.(snapshot, { signal }));
  await quietly(context, sink.testConnection({ signal }));
  await quietly(context, sink.export(snapshot, { signal: AbortSignal.abort() }));
  await context.settled('Closing the sink', sink.close());
}

/** Keeps what became of it; whether it failed is for other checks. */
async function quietly(context: CheckContext, operation: Promise<unknown> | undefined): Promise<void> {
  if (operation !== undefined) await operation.then(context.observe, context.observe);
}

const environmentCanary = 'taken-from-the-host-4f1c';

/** Variables that client libraries and cloud SDKs read for themselves. Gives back a way to restore them. */
function setEnvironment(trapPort: number): () => void {
  const trap = `http://127.0.0.1:${trapPort}`;
  const values: Record<string, string | undefined> = { NO_PROXY: undefined, no_proxy: undefined };
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'])
    for (const spelling of [name, name.toLowerCase()]) values[spelling] = trap;
  for (const name of ['AWS_ENDPOINT_URL', 'AWS_CONTAINER_CREDENTIALS_FULL_URI', 'IDENTITY_ENDPOINT', 'MSI_ENDPOINT'])
    values[name] = `${trap}/`;
  for (const name of ['GCE_METADATA_HOST', 'NATS_URL']) values[name] = `127.0.0.1:${trapPort}`;
  Object.assign(values, { PGHOST: '127.0.0.1', PGHOSTADDR: '127.0.0.1', PGPORT: String(trapPort) });
  for (const name of secretVariables) values[name] = environmentCanary;
  values['PGOPTIONS'] = `-c application_name=${environmentCanary}`;

  const before = Object.fromEntries(Object.keys(values).map((name) => [name, process.env[name]]));
  setAll(values);
  return () => setAll(before);
}

const secretVariables = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AZURE_CLIENT_SECRET',
  'AZURE_STORAGE_KEY',
  'CI_JOB_TOKEN',
  'GITHUB_TOKEN',
  'GITLAB_TOKEN',
  'NATS_PASSWORD',
  'NATS_USER',
  'PGAPPNAME',
  'PGDATABASE',
  'PGPASSWORD',
  'PGUSER',
];

function setAll(values: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
}
