import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SinkError, type ExportPlan, type ExportResult, type Item } from '@kollect/core';
import type { DatabaseAccess } from '../servers/postgres-database.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { fuzzProperty, fuzzTimeoutMs } from '../../packages/core/src/contract/fuzz.fixture.ts';
import { item, limit, sinkOver, snapshot, type SinkBlock } from './sink.ts';

let database: DatabaseAccess;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.drop());

const specs: readonly SinkBlock[] = [
  { table: 'hard' },
  { table: 'soft', deletes: 'soft' },
  { table: 'resync', resyncInterval: '1ms' },
  { table: 'resync_soft', resyncInterval: '1ms', deletes: 'soft', partitions: 2 },
  { table: 'few', maxDeletes: 2 },
  { table: 'share', maxDeletes: '40%', resyncInterval: '1ms' },
  { table: 'keyed', clusterInKey: true },
];

/** What hands may do to the tables between two exports. */
const drifts = [
  '',
  `UPDATE $ SET payload = '{"by": "hand"}' WHERE source_uid IN ('uid-o-1', 'uid-o-2')`,
  `UPDATE $ SET row_digest = NULL WHERE source_uid > 'uid-o-5'`,
  `DELETE FROM $ WHERE source_uid = 'uid-o-3'`,
  `UPDATE $_exports SET checksum = NULL`,
  `TRUNCATE $`,
] as const;

const steps = fc.array(
  fc.record({
    present: fc.uniqueArray(fc.tuple(fc.nat(15), fc.nat(1)), { selector: ([id]) => id, maxLength: 16 }),
    incomplete: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.constant(['pods']) }),
    time: fc.oneof({ weight: 9, arbitrary: fc.nat(9) }, { weight: 1, arbitrary: fc.constant('future' as const) }),
    cluster: fc.oneof({ weight: 4, arbitrary: fc.constant('prod') }, { weight: 1, arbitrary: fc.constant('staging') }),
    allowDeletes: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    drift: fc.oneof(
      { weight: 2, arbitrary: fc.constant('' as const) },
      { weight: 1, arbitrary: fc.constantFrom(...drifts) },
    ),
  }),
  { minLength: 2, maxLength: 8 },
);

const toItem = ([id, version]: readonly [number, number]): Item =>
  item(`o-${id}`, { version }, { targetName: id % 2 === 0 ? 'pods' : 'nodes' });

/** Outcome and counts, or the code of the error: what a plan must foresee. */
async function answer(promise: Promise<ExportPlan | ExportResult> | undefined): Promise<unknown> {
  try {
    const settled = await promise;
    return { outcome: settled?.outcome, counts: settled?.counts };
  } catch (error) {
    if (!SinkError.isInstance(error)) throw error;
    // The clock of the server goes on between the two.
    return { code: error.code, message: error.message.replace(/clock, \S+/, 'clock') };
  }
}

test(
  'an export that follows at once does what the plan said, in each of 40 random sequences and seven specs',
  async () => {
    const seen = new Set<string>();
    let run = 0;
    for (const spec of specs) {
      const sink = sinkOver(database, { spec });
      await fuzzProperty(
        fc.asyncProperty(steps, async (sequence) => {
          const inventoryName = `run-${(run += 1)}`;
          for (const { present, incomplete, time, cluster, allowDeletes, drift } of sequence) {
            if (drift !== '')
              await database.query(drift.replace('$', String(spec.table))).catch((error: unknown) => {
                // Before the first export of all there is no table.
                if ((error as { code?: unknown }).code !== '42P01') throw error;
              });
            const sealed = await snapshot(0, present.map(toItem), {
              inventoryName,
              cluster,
              incompleteTargets: incomplete,
              exportedAt:
                time === 'future' ? new Date(Date.now() + 3_600_000) : new Date(Date.UTC(2026, 0, 31, 12, time)),
            });
            const planned = await answer(sink.plan?.(sealed, { ...limit(), allowDeletes }));
            const exported = await answer(sink.export(sealed, { ...limit(), allowDeletes }));
            expect(planned).toEqual(exported);
            seen.add((exported as { code?: string }).code ?? String((exported as { outcome?: string }).outcome));
          }
        }),
        40,
        { parts: specs.length },
      );
      await sink.close();
    }
    // A model that never met one of these would prove nothing of it.
    expect([...seen].sort()).toEqual([
      'CONFLICT',
      'DELETE_LIMIT',
      'SNAPSHOT_INVALID',
      'applied',
      'superseded',
      'unchanged',
    ]);
  },
  210_000 + fuzzTimeoutMs,
);
