import { expect, test } from '@jest/globals';
import { fuzz, fuzzTimeoutMs } from '../../packages/core/src/contract/fuzz.fixture.ts';
import { natsSinkOver, openTestStream } from '../support/nats.ts';
import { limit, snapshotAt, timeAt } from './snapshots.ts';

const rounds = 1_000;
const scope = { cluster: 'prod', inventoryNamespace: 'team-a', inventoryName: 'web' };

test(
  'of two exporters at once never an older one follows a newer one, whatever they do',
  async () => {
    const stream = await openTestStream();
    const sinks = [natsSinkOver({ stream }), natsSinkOver({ stream, spec: { maxMessageBytes: 4_096 } })];
    try {
      let now = 0;
      await fuzz(rounds, async (random) => {
        now += 1;
        const results = await Promise.all(
          sinks.map(async (sink) => {
            const at = now + random(3) - 1;
            if (random(12) === 0) return sink.removeInventory?.(scope, { removedAt: timeAt(at), ...limit() });
            // No two contents are one: what is unchanged leaves no time in the stream.
            const snapshot = await snapshotAt(at, {
              count: 1 + random(12),
              seed: now * 2 + sinks.indexOf(sink),
              bytes: 300,
            });
            return sink.export(snapshot, limit());
          }),
        );
        for (const result of results) expect(['applied', 'unchanged', 'superseded']).toContain(result?.outcome);
      });
      const times = (await stream.messages()).map(
        ({ headers }) => headers['kollect.dev/removed-at'] ?? headers['kollect.dev/exported-at'] ?? '',
      );
      expect(times.length).toBeGreaterThan(rounds);
      expect(times).toEqual(times.toSorted());
      for (const event of await stream.events()) expect(['snapshot', 'removed']).toContain(event.type);
    } finally {
      await Promise.all(sinks.map((sink) => sink.close()));
      await stream.close();
    }
  },
  fuzzTimeoutMs + 60_000,
);
