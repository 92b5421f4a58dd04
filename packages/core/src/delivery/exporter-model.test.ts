import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { fuzzProperty, fuzzTimeoutMs } from '../contract/fuzz.fixture.ts';
import { manualClock, settle, type ManualClock } from './delivery.fixture.ts';
import { ExporterModel, type ModelPace, type ModelStep, type StoreMood } from './exporter-model.fixture.ts';

let clock: ManualClock = manualClock();

// The breaker and the waits between attempts use the timers of Node.
beforeEach(() => {
  jest
    .spyOn(globalThis, 'setTimeout')
    .mockImplementation(((callback: () => void, ms = 0) => clock.setTimeout(callback, ms)) as never);
  jest.spyOn(globalThis, 'clearTimeout').mockImplementation((timer: unknown) => clock.clearTimeout(timer));
  jest.spyOn(Date, 'now').mockImplementation(() => clock.now());
});

afterEach(() => {
  jest.restoreAllMocks();
});

const index = fc.constantFrom<0 | 1>(0, 1);
/** Mostly the same one, so that calls meet. */
const inventory = fc.constantFrom<0 | 1>(0, 0, 0, 0, 1);
const kind = <const Kind extends string>(name: Kind) => fc.constant(name);
const sinks = fc.constantFrom(3, 3, 3, 3, 3, 1, 2);
const age = fc.constantFrom(0, 0, 0, 1, 2, 1_500);

const step: fc.Arbitrary<ModelStep> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: kind('export'),
      inventory,
      content: fc.constantFrom('a', 'b'),
      age,
      sinks,
      allowDeletes: fc.constantFrom(false, false, false, true),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: kind('remove'),
      inventory,
      age: fc.oneof(age, fc.constant('whole-second' as const)),
      sinks,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: kind('mood'),
      sink: index,
      mood: fc.constantFrom<StoreMood>('well', 'slow', 'slow', 'down', 'down', 'lost', 'hangs', 'refuses', 'forbidden'),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: kind('advance'),
      ms: fc.constantFrom(0, 100, 250, 250, 500, 500, 1_000, 3_000, 10_000, 30_000),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'abort' as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'quiet' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('update' as const, 'drop' as const), sink: index }) },
);

const pace: fc.Arbitrary<ModelPace> = fc.record({
  exportMinInterval: fc.constantFrom('0s', '5s', '30s'),
  minChangeInterval: fc.constantFrom('0s', '3s'),
  immaterial: fc.boolean(),
  retries: fc.constantFrom(0, 1),
});

test(
  'once faults end, every store holds what was asked for last',
  async () => {
    await fuzzProperty(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 24, size: 'max' }),
        pace,
        fc.boolean(),
        async (steps, given, atOnce) => {
          clock = manualClock();
          const model = new ExporterModel(clock, given);
          const quiet = async (): Promise<void> => {
            model.heal();
            for (let round = 0; round < 6; round += 1) await clock.advance(30_000);
            expect(model.faults()).toEqual([]);
            expect(model.pressure()).toEqual({ running: 0, waiting: 0, owed: 0 });
          };
          for (const one of steps) {
            model.step(one);
            if (one.kind === 'quiet') await quiet();
            await (one.kind === 'advance' ? clock.advance(one.ms) : settle());
          }
          await quiet();
          for (const inventory of [0, 1] as const)
            for (const content of ['d', 'e']) {
              model.step({ kind: 'export', inventory, content, age: 0, sinks: 3, allowDeletes: false });
              if (!atOnce) await settle();
            }
          await model.close();
          expect(model.faults()).toEqual([]);
          expect(clock.timers).toBe(0);
        },
      ),
      600,
    );
  },
  4 * fuzzTimeoutMs,
);
