import type { Check } from '../check.ts';
import type { CheckContext } from '../check-context.ts';
import { makeSnapshot } from '../generators/make-snapshot.ts';
import { createObservations } from '../observations.ts';

/** What a sink says never holds what it must not tell. Every other check searches what it saw for the secret, too. */
export const secrecyChecks: readonly Check[] = [
  {
    name: 'no error, report or result holds a secret of the credentials',
    applies: ({ harness }) => harness.secretCanary !== undefined,
    run: async (context) => {
      const { signal } = new AbortController();
      const scope = context.scope();
      const sink = await context.createSink();
      const broken = await context.harness.brokenSink?.();
      const good = await context.snapshot(scope, { items: context.items(2) });
      const future = await makeSnapshot({
        ...scope,
        items: context.items(2),
        exportedAt: new Date(Date.now() + 3_600_000).toISOString(),
      });
      await see(context, sink.testConnection({ signal }));
      await see(context, sink.open?.({ signal }));
      await see(context, sink.export(good, { signal }));
      await see(context, sink.export(future, { signal }));
      await see(context, sink.export(good, { signal: AbortSignal.abort() }));
      await see(context, broken?.testConnection({ signal }));
      await see(context, broken?.open?.({ signal }));
      await see(context, broken?.export(good, { signal }));
      await see(context, broken?.close());
      await sink.close();
      await see(context, sink.export(good, { signal }));
    },
  },
  {
    name: 'no error holds the content of an item',
    run: async (context) => {
      const { signal } = new AbortController();
      const scope = context.scope();
      const sink = await context.openSink();
      const secretive = context.items(2).map((item) => ({ ...item, attributes: { remark: rowCanary } }));
      const snapshots = [
        await makeSnapshot({ ...scope, items: secretive, exportedAt: new Date(Date.now() + 3_600_000).toISOString() }),
        await context.snapshot(scope, { items: secretive }),
      ];
      const signals = [signal, AbortSignal.abort()];
      for (const [index, snapshot] of snapshots.entries())
        await seeWithoutRows(sink.export(snapshot, { signal: signals[index] ?? signal }));
      await sink.close();
      for (const snapshot of snapshots) await seeWithoutRows(sink.export(snapshot, { signal }));
    },
  },
];

const rowCanary = 'row-data-that-nobody-may-log';

/** Keeps what became of the operation; whether it failed is for other checks. */
async function see(context: CheckContext, operation: Promise<unknown> | undefined): Promise<void> {
  if (operation === undefined) return;
  await operation.then(context.observe, context.observe);
}

async function seeWithoutRows(operation: Promise<unknown>): Promise<void> {
  const observations = createObservations();
  await operation.then(observations.add, observations.add);
  observations.expectNo(rowCanary);
}
