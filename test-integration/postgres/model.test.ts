import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { InventorySnapshot, Item } from '@kollect/core';
import type { DatabaseAccess } from '../servers/postgres-database.ts';
import { fuzzProperty, fuzzTimeoutMs } from '../../packages/core/src/contract/fuzz.fixture.ts';
import { item, limit, sinkOver, snapshot, tableContents } from './sink.ts';
import { openTestDatabase } from '../support/postgres.ts';

let database: DatabaseAccess;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.drop());

interface Step {
  readonly present: readonly (readonly [number, number])[];
  readonly incomplete: readonly string[];
  readonly time: number;
  readonly sink: number;
}

const targets = ['pods', 'nodes'];

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    present: fc.uniqueArray(fc.tuple(fc.nat(11), fc.nat(2)), { selector: ([id]) => id, maxLength: 12 }),
    incomplete: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.subarray(targets) }),
    time: fc.nat(20),
    sink: fc.nat(1),
  }),
  { minLength: 2, maxLength: 8 },
);

function toItem([id, version]: readonly [number, number]): Item {
  return item(`o-${id}`, { version }, { targetName: id % 2 === 0 ? 'pods' : 'nodes' });
}

/** What the table should be, by the words of the contract alone. */
function createModel() {
  let rows = new Map<string, unknown>();
  let appliedAt = -1;
  return {
    apply(step: Step, sealed: InventorySnapshot): 'superseded' | 'taken' {
      if (step.time < appliedAt) return 'superseded';
      appliedAt = step.time;
      const kept = [...rows].filter(([key]) => step.incomplete.includes(String(key.split('|')[3])));
      const written = sealed.items.map((one): [string, unknown] => [
        ['prod', sealed.inventoryNamespace, sealed.inventoryName, one.targetName, one.uid].join('|'),
        JSON.parse(Buffer.from(one.json).toString()),
      ]);
      rows = new Map([...kept, ...written]);
      return 'taken';
    },
    rows: () => rows,
  };
}

test(
  'after each of 200 random sequences of snapshots the table equals the model',
  async () => {
    const sinks = [sinkOver(database), sinkOver(database)];
    let run = 0;
    await fuzzProperty(
      fc.asyncProperty(steps, async (sequence) => {
        const inventoryName = `run-${(run += 1)}`;
        const model = createModel();
        for (const step of sequence) {
          const sealed = await snapshot(step.time, step.present.map(toItem), {
            inventoryName,
            incompleteTargets: step.incomplete,
          });
          const { outcome } = (await sinks[step.sink]?.export(sealed, { ...limit(), allowDeletes: true })) ?? {};
          const expected = model.apply(step, sealed);
          expect(outcome === 'superseded').toBe(expected === 'superseded');
          expect(await tableContents(database, `inventory_name = '${inventoryName}'`)).toEqual(model.rows());
        }
      }),
      200,
    );
    await Promise.all(sinks.map((sink) => sink.close()));
  },
  90_000 + fuzzTimeoutMs,
);
