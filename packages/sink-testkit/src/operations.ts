import type { KollectSink } from '@kollect/core';
import type { CheckContext } from './check-context.ts';
import { evolve } from './generators/evolve.ts';

/** One operation of a sink, ready to be begun. */
export interface StartOperation {
  readonly name: 'open' | 'export' | 'plan' | 'removeInventory' | 'testConnection';
  /** Undefined where the sink has no such operation. */
  readonly start: (sink: KollectSink, options: { readonly signal: AbortSignal }) => Promise<unknown> | undefined;
}

/** Every operation, on a scope of its own that holds something already once `prepare` ran. */
export async function everyOperation(
  context: CheckContext,
): Promise<{ prepare: (sink: KollectSink) => Promise<void>; operations: readonly StartOperation[] }> {
  const [scope, removed] = [context.scope(), context.scope()];
  const items = context.items(20);
  const held = await context.snapshot(scope, { items });
  const toRemove = await context.snapshot(removed, { items: context.items(5) });
  const next = await context.snapshot(scope, { at: 1, items: evolve(items, { changed: 5, removed: 2, added: 2 }) });
  return {
    prepare: async (sink) => {
      await context.export(sink, held);
      await context.export(sink, toRemove);
    },
    operations: [
      { name: 'open', start: (sink, options) => sink.open?.(options) },
      { name: 'testConnection', start: (sink, options) => sink.testConnection(options) },
      { name: 'plan', start: (sink, options) => sink.plan?.(next, options) },
      { name: 'export', start: (sink, options) => sink.export(next, { ...options, allowDeletes: true }) },
      {
        name: 'removeInventory',
        start: (sink, options) => sink.removeInventory?.(removed, { ...options, removedAt: context.time(9) }),
      },
    ],
  };
}

/** Runs all of them on one sink; each must end well. */
export async function runEveryOperation(context: CheckContext, sink: KollectSink): Promise<void> {
  const { signal } = new AbortController();
  const { prepare, operations } = await everyOperation(context);
  await operations[0]?.start(sink, { signal });
  await prepare(sink);
  for (const { start } of operations.slice(1)) context.observe(await start(sink, { signal }));
}
