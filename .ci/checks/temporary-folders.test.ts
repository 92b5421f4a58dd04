import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Theirs go with the server or the watchdog that they are given to. */
const handedOn = new Set(['test-integration/servers/processes.ts', 'test-integration/servers/watchdog.test.ts']);

/** Sources that make a folder of their own below the temporary one. */
const makers = ['.ci', 'packages', 'examples', 'test-integration']
  .flatMap((place) => readdirSync(join(root, place), { recursive: true }).map((path) => join(place, String(path))))
  .filter((path) => /\.m?[tj]s$/u.test(path) && !/\/(?:node_modules|dist)\//u.test(path))
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
  .filter(({ text }) => /\bmkdtemp(?:Sync)?\(/u.test(text));

test('who makes a temporary folder takes it away, and not at the exit of a worker that jest may kill', () => {
  expect(makers.length).toBeGreaterThan(10);
  const keeping = makers.filter(({ text }) => !/\brm(?:Sync)?\(/u.test(text)).map(({ path }) => path);
  expect(keeping.filter((path) => !handedOn.has(path))).toEqual([]);
  const atExit = makers.filter(({ text }) => /process\.(?:on|once)\('exit', \(\) => rm/u.test(text));
  expect(atExit.map(({ path }) => path)).toEqual([]);
});
