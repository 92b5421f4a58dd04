import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { faultNames } from './faults.ts';
import { backendNames } from './backends.ts';
import type { SoakResult } from './soak.ts';

// How long the other store's exports take is for `pnpm soak` to judge, on a machine that does nothing else.
const seconds = 12;
const cases = faultNames.flatMap((fault) => backendNames.map((target) => ({ fault, target })));
let results: SoakResult[] = [];

beforeAll(async () => {
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  // It ends with 1 where a promise was broken; which one is for the tests to say.
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--expose-gc', main, '--seconds', String(seconds), '--json'],
    {
      maxBuffer: 16 * 1024 * 1024,
    },
  ).catch((error: { stdout: string; stderr: string }) => error);
  results = stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as SoakResult] : []));
  if (results.length < cases.length) throw new Error(`The soak ended early:\n${stdout}${stderr}`);
}, 300_000);

describe.each(cases)('$fault of $target, while 50 inventories change ten times a second', ({ fault, target }) => {
  const result = (): SoakResult => {
    const found = results.find((candidate) => candidate.fault === fault && candidate.target === target);
    if (found === undefined) throw new Error('There is no result.');
    return found;
  };
  const other = target === 'postgres' ? 'kafka' : 'postgres';

  test('both stores hold every last snapshot once it is over', () => {
    expect(result().lacking).toEqual({ postgres: [], kafka: [] });
  });

  test('the other store never failed', () => {
    expect(result().outcomes[other]).toMatchObject({ applied: expect.any(Number) });
    expect(Object.keys(result().outcomes[other] ?? {})).not.toContain('failed');
    expect(Object.keys(result().outcomes[other] ?? {})).not.toContain('skipped-open-circuit');
  });

  test('memory does not grow', () => {
    expect(result().heap.ratio).toBeLessThanOrEqual(1.2);
  });

  test('no rejection is left unhandled', () => {
    expect(result().unhandled).toEqual([]);
  });
});
