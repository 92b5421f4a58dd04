import { describe, expect, test } from '@jest/globals';
import { brokenAbort } from './abort.fixture.ts';
import { brokenChanges } from './changes.fixture.ts';
import { brokenContent } from './content.fixture.ts';
import { collectChecks, subjectOf } from './broken-sink.fixture.ts';
import { brokenFence } from './fence.fixture.ts';
import { brokenLifecycle } from './lifecycle.fixture.ts';
import { brokenPlanAndRemoval } from './plan-removal.fixture.ts';

const brokenSinks = [
  ...brokenContent,
  ...brokenChanges,
  ...brokenFence,
  ...brokenAbort,
  ...brokenPlanAndRemoval,
  ...brokenLifecycle,
];

describe('a sink that', () => {
  test.each(brokenSinks)('$what fails "$fails"', async (broken) => {
    // What settles, settles in time even on a loaded machine; what hangs, hangs for ever.
    const check = collectChecks({ ...subjectOf(broken), patienceMs: 3000 }).get(broken.fails);
    const failure: unknown = await check?.().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(check).toBeDefined();
    expect(failure).toBeDefined();
    const { code, message } = failure as { code?: unknown; message?: unknown };
    expect(`${String(code)}: ${String(message)}`).toMatch(broken.says ?? /^ERR_ASSERTION: /);
  });
});

test('every check is failed by a sink that is broken on purpose', () => {
  const failed = new Set(brokenSinks.map(({ fails }) => fails));
  expect([...collectChecks(subjectOf({})).keys()].filter((name) => !failed.has(name))).toEqual([]);
});
