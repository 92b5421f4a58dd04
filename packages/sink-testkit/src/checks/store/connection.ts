import assert from 'node:assert/strict';
import type { ConnectionReport, KollectSink } from '@kollect/core';
import { assertReport } from '../../assertions.ts';
import type { Check } from '../../check.ts';
import type { CheckContext } from '../../check-context.ts';
import { evolve } from '../../generators/evolve.ts';

async function withBrokenSink(context: CheckContext, use: (sink: KollectSink) => Promise<void>): Promise<void> {
  const sink = await context.brokenSink();
  try {
    await use(sink);
  } finally {
    await context.settled('Closing a sink whose store cannot be reached', sink.close());
  }
}

async function testConnection(context: CheckContext, sink: KollectSink): Promise<ConnectionReport> {
  const end = await context.settled('testConnection', sink.testConnection({ signal: new AbortController().signal }));
  if (end.status === 'rejected') return assert.fail('testConnection rejected; it does so only when it is aborted.');
  assertReport(end.value);
  return end.value;
}

/** What the author of a KollectSink learns before the first export. */
export const connectionChecks: readonly Check[] = [
  {
    name: 'testConnection passes on a store that works, opened or not, and its steps can be shown',
    run: async (context) => {
      for (const sink of [await context.createSink(), await context.openSink()]) {
        const { steps } = await testConnection(context, sink);
        const failed = steps
          .filter((step) => step.status === 'failed')
          .map((step) => `${step.name}: ${step.code}, ${step.found}`);
        assert.deepEqual(failed, []);
      }
    },
  },
  {
    name: 'testConnection leaves the store as it was, and exports go on',
    run: async (context) => {
      const sink = await context.openSink();
      const scope = context.scope();
      const items = context.items(4);
      await context.export(sink, await context.snapshot(scope, { items }));
      const before = await context.store.fingerprint(scope);
      await testConnection(context, sink);
      assert.equal(await context.store.fingerprint(scope), before, 'testConnection changed an inventory.');
      const next = await context.snapshot(scope, { at: 1, items: evolve(items, { changed: 2, added: 1 }) });
      await context.export(sink, next);
      await context.store.expectSnapshot(next);
    },
  },
  {
    name: 'a store that cannot be reached is UNAVAILABLE, which is retryable',
    needs: ['brokenSink'],
    run: async (context) =>
      withBrokenSink(context, async (sink) => {
        const { signal } = new AbortController();
        const snapshot = await context.snapshot(context.scope(), { items: context.items(2) });
        const error = await context.failure(
          'The export to a store that cannot be reached',
          (async () => {
            await sink.open?.({ signal });
            return sink.export(snapshot, { signal });
          })(),
        );
        assert.equal(error.code, 'UNAVAILABLE');
        assert.equal(error.retryable, true);
      }),
  },
  {
    name: 'testConnection reports the step that failed and skips those that need it',
    needs: ['brokenSink'],
    run: async (context) =>
      withBrokenSink(context, async (sink) => {
        const { steps } = await testConnection(context, sink);
        const statuses = steps.map((step) => step.status);
        const failed = statuses.indexOf('failed');
        assert.notEqual(failed, -1, 'No step failed, though nobody listens.');
        const rest = statuses.slice(failed + 1);
        assert.ok(
          rest.every((status) => status === 'skipped'),
          `The steps after the failed one are ${rest.join(', ')}; expected skipped.`,
        );
      }),
  },
];
