import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { programPath } from './process-guest.fixture.ts';

interface Told {
  readonly outcomes: readonly string[];
  readonly owed: number;
  readonly left: readonly string[];
}

/** Ends with the program. An unhandled rejection would end it with a code, a timer that holds it would run into the limit. */
async function run(...args: readonly string[]): Promise<Told> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [programPath, ...args], { timeout: 20_000 });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Told;
}

const outcomes = [
  'memory: debounced',
  ...['throws', 'rejects', 'fails', 'refuses', 'returnsnothing', 'hangs', 'rejectslate'].map(
    (type) => `${type}: skipped-open-circuit`,
  ),
];

test('debounced changes and open circuits keep no process alive, and no misdeed of a sink ends one', async () => {
  expect(await run()).toMatchObject({ outcomes, owed: 8 });
}, 30_000);

test('close leaves no handle', async () => {
  expect(await run('close')).toEqual({ outcomes, owed: 8, left: [] });
}, 30_000);
