import type { Check } from '../../check.ts';
import type { CheckContext } from '../../check-context.ts';
import { makeSnapshot } from '../../generators/make-snapshot.ts';
import { given } from '../../check-harness.ts';

/** What a sink says never holds what it must not tell. Every other check searches what it saw for secret and content, too. */
export const secrecyChecks: readonly Check[] = [
  {
    name: 'no error, report or result holds a secret of the credentials',
    needs: ['secretCanary'],
    run: async (context) => {
      const { signal } = new AbortController();
      const scope = context.scope();
      const sink = await context.createSink();
      const broken = given(context.harness, 'brokenSink') === true ? await context.brokenSink() : undefined;
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
      const items = context.items(2);
      const good = await context.snapshot(scope, { items });
      const exportedAt = new Date(Date.now() + 3_600_000).toISOString();
      const future = await makeSnapshot({ ...scope, items, exportedAt });
      const cloned = await context.snapshot({ ...scope, cluster: `${scope.cluster ?? ''}-clone` }, { at: 1, items });
      const large = await context.snapshot(scope, { at: 2, items: context.items(1, { bytes: 8 * 1024 * 1024 }) });
      await see(context, sink.export(future, { signal }));
      await see(context, sink.export(good, { signal: AbortSignal.abort() }));
      await see(context, sink.export(good, { signal }));
      await see(context, sink.export(cloned, { signal }));
      await see(context, sink.export(large, { signal }));
      await see(context, sink.plan?.(future, { signal }));
      await see(context, sink.plan?.(large, { signal: AbortSignal.abort() }));
      const broken = given(context.harness, 'brokenSink') === true ? await context.brokenSink() : undefined;
      await see(context, broken?.export(good, { signal }));
      await sink.close();
      for (const snapshot of [future, good]) await see(context, sink.export(snapshot, { signal }));
    },
  },
];

/** Keeps what became of the operation; whether it failed is for other checks. */
async function see(context: CheckContext, operation: Promise<unknown> | undefined): Promise<void> {
  if (operation === undefined) return;
  await operation.then(context.observe, context.observe);
}
