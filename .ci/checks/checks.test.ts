import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readExports } from './container-engine.ts';
import { countTests } from './results.ts';
import { runCommand } from './run-command.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kollect-checks-test-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const a = resolve('a.test.ts');
const b = resolve('b.test.ts');

function countOf(...events: readonly (object | string)[]) {
  const path = join(directory, 'results');
  writeFileSync(
    path,
    events.map((event) => (typeof event === 'string' ? event : `${JSON.stringify(event)}\n`)).join(''),
  );
  return countTests(path);
}

test('a run counts its tests, and names those that failed', () => {
  const counts = countOf(
    { event: 'planned', files: 2 },
    { event: 'started', file: a },
    { event: 'finished', file: a, passed: ['one', 'two'], failed: ['three'] },
    { event: 'started', file: b },
    { event: 'finished', file: b, passed: ['four'], failed: [] },
    { event: 'complete' },
  );
  expect(counts).toEqual({ passed: 3, failed: 1, failures: ['a.test.ts: three'] });
});

test('a file of two projects counts once for each', () => {
  const counts = countOf(
    { event: 'planned', files: 2 },
    { event: 'started', file: a, project: 'integration' },
    { event: 'finished', file: a, project: 'integration', passed: ['one'], failed: [] },
    { event: 'started', file: a, project: 'kept' },
    { event: 'finished', file: a, project: 'kept', passed: [], failed: ['one'] },
    { event: 'complete' },
  );
  expect(counts).toEqual({ passed: 1, failed: 1, failures: ['kept a.test.ts: one'] });
});

test.each([
  ['no results at all', [], 1],
  ['a file that never started', [{ event: 'planned', files: 1 }, { event: 'complete' }], 1],
  ['a file that was cut short', [{ event: 'planned', files: 1 }, { event: 'started', file: a }, '{"event":"fini'], 1],
  [
    'a file that could not be read',
    [
      { event: 'planned', files: 1 },
      { event: 'finished', file: a, passed: [], failed: [], broken: true },
      { event: 'complete' },
    ],
    1,
  ],
  [
    'a run without its end',
    [
      { event: 'planned', files: 1 },
      { event: 'finished', file: a, passed: ['one'], failed: [] },
    ],
    1,
  ],
] as const)('%s is a failure', (_name, events, failed) => {
  expect(countOf(...events).failed).toBe(failed);
});

test('a command gives its exit code, and is ended with its children at its limit', async () => {
  const marker = join(directory, 'survived');
  expect(await runCommand(['sh', '-c', 'exit 3'], { limitSeconds: 20 })).toBe(3);
  const late = runCommand(['sh', '-c', `(sleep 3; touch ${marker}) & sleep 60`], { limitSeconds: 0.2 });
  expect(await late).toBe('ended after 0.2 s');
  await new Promise((wake) => setTimeout(wake, 3_500));
  expect(existsSync(marker)).toBe(false);
});

test('the variables of an engine are read from what its starter prints', () => {
  expect(readExports("noise\nexport DOCKER_HOST=unix:///a/b.sock RYUK='no thing'\nexport LAST=1\n")).toEqual({
    DOCKER_HOST: 'unix:///a/b.sock',
    RYUK: 'no thing',
    LAST: '1',
  });
});
