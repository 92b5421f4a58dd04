import { describe, expect, test } from '@jest/globals';
import { brokenAbort } from './abort.fixture.ts';
import { brokenChanges } from './changes.fixture.ts';
import { brokenContent } from './content.fixture.ts';
import { brokenSubject, collectChecks, subjectOf } from './broken-sink.fixture.ts';
import { documentDefinition, documentHarness } from './document-sink.fixture.ts';
import { brokenFence } from './fence.fixture.ts';
import { brokenHttp } from './http.fixture.ts';
import { httpSubject } from './http-sink.fixture.ts';
import { brokenKeptInventories, isComplete, isHeld, writingChanges } from './kept-inventory.fixture.ts';
import { brokenLifecycle } from './lifecycle.fixture.ts';
import { brokenNetwork } from './network.fixture.ts';
import { brokenPlanAndRemoval } from './plan-removal.fixture.ts';
import { brokenProcess } from './process.fixture.ts';
import { brokenResults } from './results.fixture.ts';
import { brokenWrites } from './writes.fixture.ts';

const brokenSinks = [
  ...brokenContent,
  ...brokenChanges,
  ...brokenKeptInventories,
  ...brokenFence,
  ...brokenAbort,
  ...brokenPlanAndRemoval,
  ...brokenLifecycle,
  ...brokenResults,
  ...brokenProcess,
  ...brokenWrites,
  ...brokenNetwork,
  ...brokenHttp,
];

describe('a sink that', () => {
  test.each(brokenSinks)('$what fails "$fails"', async (broken) => {
    // What settles, settles in time even on a loaded machine; what hangs, hangs for ever.
    const check = collectChecks({ ...brokenSubject(broken), patienceMs: 1500 }).get(broken.fails);
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
  const topic = { definition: documentDefinition, harness: documentHarness() };
  const all = [subjectOf({}), topic, httpSubject()].flatMap((subject) => [...collectChecks(subject).keys()]);
  expect(all.filter((name) => !failed.has(name) && !name.startsWith('not run'))).toEqual([]);
});

test('a sink that writes changes alone passes where it looks at what the store holds', async () => {
  const wrap = writingChanges((last, held) => isComplete(last) && isHeld(last, held));
  const checks = collectChecks({ ...subjectOf({ wrap }), patienceMs: 1500 });
  const kept = brokenKeptInventories.map(({ fails }) => checks.get(fails));
  expect(kept.map((check) => typeof check)).toEqual(['function', 'function']);
  for (const check of kept) await check?.();
});
