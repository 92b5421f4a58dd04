import assert from 'node:assert/strict';
import type { Check } from '../../check.ts';
import { evolve } from '../../generators/evolve.ts';
import { exportPersistently } from '../../persistence.ts';

async function rotate(rotateCredentials: (() => Promise<void>) | false | undefined): Promise<void> {
  if (rotateCredentials === undefined || rotateCredentials === false)
    assert.fail('The harness has no hook rotateCredentials.');
  await rotateCredentials();
}

/** A secret is asked for at every connect, and kept nowhere. */
export const credentialChecks: readonly Check[] = [
  {
    name: 'a secret that was rotated after the sink was made is the one it logs in with',
    needs: ['hooks.rotateCredentials'],
    run: async (context) => {
      const sink = await context.createSink();
      await rotate(context.harness.hooks?.rotateCredentials);
      await sink.open?.({ signal: new AbortController().signal });
      const snapshot = await context.snapshot(context.scope(), { items: context.items(3) });
      await context.export(sink, snapshot);
      await context.store.expectSnapshot(snapshot);
      const { ok } = context.observe(await sink.testConnection({ signal: new AbortController().signal }));
      assert.ok(ok, 'testConnection fails after the secret was rotated.');
    },
  },
  {
    name: 'a sink that is at work logs in with the new secret once the old one is gone',
    needs: ['hooks.rotateCredentials'],
    run: async (context) => {
      const scope = context.scope();
      const sink = await context.openSink();
      const items = context.items(5);
      await context.export(sink, await context.snapshot(scope, { items }));
      for (const at of [1, 2]) {
        await rotate(context.harness.hooks?.rotateCredentials);
        const next = await context.snapshot(scope, { at, items: evolve(items, { changed: 2, seed: at }) });
        await exportPersistently(context, sink, next);
        await context.store.expectSnapshot(next);
      }
    },
  },
];
