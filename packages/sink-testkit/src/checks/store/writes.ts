import assert from 'node:assert/strict';
import type { Check } from '../../check.ts';
import { evolve } from '../../generators/evolve.ts';
import type { Undo } from '../../hooks.ts';
import { expectLeftovers, leftoversOf } from '../../leftovers.ts';
import { exportPersistently } from '../../persistence.ts';
import { turns } from '../../patience.ts';

/** Runs `use` while writes fail, and mends the store whatever happens. */
async function whileBroken(start: (() => Promise<Undo>) | false | undefined, use: () => Promise<void>): Promise<void> {
  if (start === undefined || start === false) return assert.fail('The harness lacks the hook.');
  const undo = await start();
  try {
    await use();
  } finally {
    await undo();
  }
}

/** Codes for what is wrong with what was asked, or with the code of a sink. */
const blaming: ReadonlySet<string> = new Set(['CONFLICT', 'DELETE_LIMIT', 'CONTRACT_VIOLATION']);

/** Writes that the store does not let end, and what they leave. */
export const writeChecks: readonly Check[] = [
  {
    name: 'testConnection leaves nothing in the store, whether it passes or is aborted',
    needs: ['hooks.leftovers'],
    run: async (context) => {
      const sink = await context.openSink();
      await context.export(sink, await context.snapshot(context.scope(), { items: context.items(2) }));
      const before = await leftoversOf(context);
      await sink.testConnection({ signal: new AbortController().signal });
      await expectLeftovers(context, before, 'testConnection');
      for (const pause of [0, 1, 2, 4, 8, 16]) {
        const controller = new AbortController();
        const ending = context.settled('testConnection', sink.testConnection({ signal: controller.signal }));
        await turns(pause);
        controller.abort();
        await ending;
      }
      await expectLeftovers(context, before, 'a testConnection that was aborted');
    },
  },
  {
    name: 'an export that is aborted leaves nothing in the store beside its inventory',
    needs: ['hooks.leftovers'],
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const items = context.items(60);
      await context.export(sink, await context.snapshot(scope, { items }));
      const before = await leftoversOf(context);
      for (const [index, pause] of [0, 1, 2, 4, 8, 16, 32].entries()) {
        const controller = new AbortController();
        const next = await context.snapshot(scope, {
          at: index + 1,
          items: evolve(items, { changed: 20, seed: index }),
        });
        const ending = context.settled('The export', sink.export(next, { signal: controller.signal }));
        await turns(pause);
        controller.abort();
        await ending;
      }
      await expectLeftovers(context, before, 'exports that were aborted');
    },
  },
  {
    name: 'a write for which the sink has no permission is PERMISSION_DENIED, which is not retried, and changes nothing',
    needs: ['hooks.denyWrites'],
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const items = context.items(10);
      await context.export(sink, await context.snapshot(scope, { items }));
      const before = await context.store.fingerprint(scope);
      const next = await context.snapshot(scope, { at: 1, items: evolve(items, { changed: 3, added: 2 }) });
      await whileBroken(context.harness.hooks?.denyWrites, async () => {
        const exporting = sink.export(next, { signal: new AbortController().signal });
        const error = await context.failure('The export that the store does not permit', exporting);
        assert.equal(error.code, 'PERMISSION_DENIED');
        assert.equal(error.retryable, false, 'Trying again gives no permission.');
      });
      assert.equal(await context.store.fingerprint(scope), before, 'An export that was denied wrote something.');
      await exportPersistently(context, sink, next);
      await context.store.expectSnapshot(next);
    },
  },
  {
    name: 'a write that fails is told as such, by testConnection too, leaves the old snapshot and nothing beside it, and the next one works',
    needs: ['hooks.breakWrites'],
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const items = context.items(10);
      const held = await context.snapshot(scope, { items });
      await context.export(sink, held);
      const before = await leftoversOf(context);
      const next = await context.snapshot(scope, { at: 1, items: evolve(items, { changed: 3, added: 2 }) });
      await whileBroken(context.harness.hooks?.breakWrites, async () => {
        const exporting = sink.export(next, { signal: new AbortController().signal });
        const { code } = await context.failure('The export that the store cannot write', exporting);
        assert.ok(!blaming.has(code), `The store could not write, and ${code} blames the snapshot or the sink.`);
        const report = await sink.testConnection({ signal: new AbortController().signal });
        assert.equal(context.observe(report).ok, false, 'testConnection passes where no export succeeds.');
      });
      await context.store.expectSnapshot(held);
      await expectLeftovers(context, before, 'a write that failed');
      await exportPersistently(context, sink, next);
      await context.store.expectSnapshot(next);
    },
  },
];
