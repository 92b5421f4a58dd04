import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fuzzProperty, fuzzTimeoutMs } from '../../../core/src/contract/fuzz.fixture.ts';
import type { FakeFault } from '../testing/fake-api-types.ts';
import { createWatchModel, type WatchStep } from './watch-model.fixture.ts';

const name = fc.nat({ max: 7 });
const status = (status: number, more: object = {}): FakeFault => ({ kind: 'status', status, ...more });
const fault = fc.constantFrom<FakeFault>(
  status(429, { reason: 'TooManyRequests', retryAfterMs: 3_000 }),
  status(500),
  status(503),
  status(403, { reason: 'Forbidden' }),
  status(401),
  status(410, { reason: 'Expired' }),
  status(0, { reason: 'ResponseTooLarge' }),
  { kind: 'reset' },
  { kind: 'silence' },
  { kind: 'same-continue' },
);
const only = <const Kind extends string>(...kinds: Kind[]) => fc.constantFrom(...kinds);

const step: fc.Arbitrary<WatchStep> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: only('put'),
      name,
      value: fc.nat({ max: 3 }),
      selected: fc.constantFrom(true, true, true, false),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: only('remove', 'replace'), name }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: only('fail'),
      fault,
      verb: only('list', 'watch', 'both'),
      page: fc.nat({ max: 3 }),
      times: fc.constantFrom(1, 1, 2, 3, 1_000),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: only('end'), how: only('in order', 'expired', 'unreadable', 'thrown') }) },
  { weight: 4, arbitrary: fc.record({ kind: only('forget', 'bookmark', 'heal') }) },
  {
    weight: 7,
    arbitrary: fc.record({ kind: only('advance'), ms: fc.constantFrom(0, 0, 300, 1_000, 5_000, 30_000, 130_000) }),
  },
);

test(
  'whatever fails, what was never deleted is held, and once faults end all is as the server has it',
  async () => {
    const given = fc.record({ pageSize: fc.constantFrom(1, 2, 3, 500), initial: fc.nat({ max: 8 }) });
    await fuzzProperty(
      fc.asyncProperty(given, fc.array(step, { maxLength: 40, size: 'max' }), async (options, steps) => {
        const model = createWatchModel(options);
        for (const one of steps) await model.step(one);
        await model.quiet();
        await model.close();
        expect(model.faults).toEqual([]);
      }),
      300,
    );
  },
  2 * fuzzTimeoutMs,
);
