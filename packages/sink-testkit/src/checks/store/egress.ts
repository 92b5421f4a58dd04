import assert from 'node:assert/strict';
import type { Check } from '../../check.ts';
import { runEveryOperation } from '../../operations.ts';

/** The only way out. Every other check looks, too, at where its sinks dialled. */
export const egressChecks: readonly Check[] = [
  {
    name: 'a sink dials through its egress alone, whatever it does',
    run: async (context) => {
      const sink = await context.createSink();
      await runEveryOperation(context, sink);
      await sink.close();
      if (context.harness.hooks?.server === false)
        assert.equal(
          context.watch.sockets.length,
          0,
          'The hook server is false, which says that the sink dials nobody, and it dialled somebody.',
        );
    },
  },
  {
    name: 'an address that the egress policy forbids is EGRESS_DENIED, which is not retried, and nothing is dialled',
    run: async (context) => {
      const { signal } = new AbortController();
      const snapshot = await context.snapshot(context.scope(), { items: context.items(2) });
      // Whether it dials at all, a sink that may do so tells.
      await context.export(await context.openSink(), snapshot);
      const dialled = context.watch.sockets.length;
      if (dialled === 0) return;
      const sink = await context.createSink({ denyEgress: true });
      const error = await context.failure(
        'The export to a forbidden address',
        (async () => {
          await sink.open?.({ signal });
          return sink.export(snapshot, { signal });
        })(),
      );
      assert.equal(error.code, 'EGRESS_DENIED');
      assert.equal(error.retryable, false, 'A policy does not change from one attempt to the next.');
      const { ok, steps } = context.observe(await sink.testConnection({ signal }));
      assert.equal(ok, false, 'testConnection passes where the policy forbids the address.');
      assert.ok(
        steps.some(({ status, code }) => status === 'failed' && code === 'EGRESS_DENIED'),
        'No step of testConnection failed with EGRESS_DENIED.',
      );
      const connected = context.watch.sockets.slice(dialled).filter((socket) => socket.bytesWritten > 0);
      assert.equal(connected.length, 0, 'Bytes went to an address that the policy forbids.');
    },
  },
];
