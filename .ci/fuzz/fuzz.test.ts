import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { commandFor, minutesEach, readFuzzOptions, usage } from './fuzz-options.ts';
import { findFuzzSuites, type FuzzSuite } from './fuzz-suites.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const suite = (name: string, tests = 1): FuzzSuite => ({ name, file: `${name}.test.ts`, project: 'unit', tests });
const known = [suite('model', 3), suite('bytes'), suite('messages')];

test('without arguments all suites run for ten minutes, from a seed by chance', () => {
  expect(readFuzzOptions([], known, () => 0.5)).toEqual({ minutes: 10, seed: 2 ** 30, suites: known });
});

test('minutes, seed and suites are read, each suite once', () => {
  const args = ['--minutes', '0.5', '--seed', '0', '--only=bytes,model,bytes'];
  expect(readFuzzOptions(args, known)).toEqual({ minutes: 0.5, seed: 0, suites: [known[1], known[0]] });
});

test.each([
  [['--minutes', '0'], '--minutes expects a number above 0 and at most 1440, found "0".'],
  [['--minutes', 'ten'], '--minutes expects a number above 0 and at most 1440, found "ten".'],
  [['--minutes', '1e9'], '--minutes expects a number above 0 and at most 1440, found "1e9".'],
  [['--seed', 'x'], '--seed expects a whole number from 0 on, found "x".'],
  [['--seed', ' '], '--seed expects a whole number from 0 on, found " ".'],
  [['--seed', '1.5'], '--seed expects a whole number from 0 on, found "1.5".'],
  [['--only', 'modell'], '--only knows model, bytes, messages, found "modell".'],
  [['--only', ''], '--only knows model, bytes, messages, found "".'],
  [['--rounds', '5'], "Unknown option '--rounds'"],
  [['model'], "Unexpected argument 'model'"],
])('%j is refused', (args, problem) => {
  const read = (): unknown => readFuzzOptions(args, known);
  expect(read).toThrow(problem);
  expect(read).toThrow(usage);
});

test('the minutes are divided among all tests, and the command asks for the same again', () => {
  expect(minutesEach({ minutes: 10, suites: known })).toBe(2);
  const args = commandFor({ minutes: 6, seed: 7 }, 'model').split(' ').slice(3);
  expect(readFuzzOptions(args, known)).toEqual({ minutes: 6, seed: 7, suites: [known[0]] });
});

test('every random model and byte fuzzer is found, and no two have one name', () => {
  const found = findFuzzSuites(root);
  expect(found.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      'document-model',
      'exporter-model',
      'file-store',
      'gate',
      'hostile-documents',
      'hostile-messages',
      'inventory-model',
      'model',
      'plan-model',
      'queue',
      'read-document',
      'read-snapshots.property',
    ]),
  );
  expect(new Set(found.map(({ name }) => name)).size).toBe(found.length);
  for (const { file, project, tests } of found) {
    expect(readFileSync(`${root}/${file}`, 'utf8')).toContain('fuzz.fixture.ts');
    expect([project, tests > 0]).toEqual([file.startsWith('test-integration') ? 'integration' : 'unit', true]);
  }
});
