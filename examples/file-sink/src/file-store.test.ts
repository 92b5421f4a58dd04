import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parseDocument } from '@kollect/core';
import { singleDocumentLayout } from '@kollect/core/authoring';
import { runDocumentModel } from '../../../packages/core/src/authoring/documents/document-model.fixture.ts';
import { fuzz, fuzzTimeoutMs } from '../../../packages/core/src/contract/fuzz.fixture.ts';
import { createFileStore } from './file-store.ts';
import { increment, read } from './increment.fixture.ts';

let directory: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kollect-file-store-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(directory, { recursive: true, force: true });
});

/** Another process that adds to the same number. */
function otherProcess(count: number): ChildProcess {
  const script = fileURLToPath(new URL('increment.fixture.ts', import.meta.url));
  const child = spawn(process.execPath, [script, directory, String(count)], { stdio: 'inherit' });
  children.push(child);
  return child;
}

const exitOf = async (child: ChildProcess): Promise<unknown> => (await once(child, 'exit'))[0];
const published = async (): Promise<number> => Number(await readFile(join(directory, 'number.json'), 'utf8'));

test(
  'holds what the model holds after every step',
  async () => {
    const layout = singleDocumentLayout();
    await fuzz(4, async (random, round) => {
      const root = join(directory, String(round));
      await runDocumentModel(
        {
          store: createFileStore(root),
          layout,
          read: async (scope) => {
            const bytes = await readFile(join(root, layout.headKey(scope))).catch(() => undefined);
            if (bytes === undefined || bytes.includes('"removed":true')) return undefined;
            return parseDocument(bytes).items;
          },
        },
        random,
        40,
      );
    });
  },
  fuzzTimeoutMs,
);

test('loses nothing that two processes and this one write at once', async () => {
  const others = [otherProcess(60), otherProcess(60)];
  const ended = others.map(exitOf);
  await increment(directory, 60);
  expect(await Promise.all(ended)).toEqual([0, 0]);
  expect([(await read(directory)).value, await published()]).toEqual([180, 180]);
}, 60_000);

test('goes on after a process that was killed in the middle of anything, and clears up after it', async () => {
  let value = 0;
  for (let round = 0; round < 8; round += 1) {
    const child = otherProcess(100_000);
    const ended = exitOf(child);
    while ((await read(directory)).value === value) await delay(5);
    await delay(round * 3);
    child.kill('SIGKILL');
    await ended;
    value = (await read(directory)).value + 3;
    await increment(directory, 3);
    expect([(await read(directory)).value, await published()]).toEqual([value, value]);
  }
  const versions = join(directory, '.number.json');
  const old = new Date(Date.now() - 120_000);
  for (const name of await readdir(versions)) await utimes(join(versions, name), old, old);
  await increment(directory, 1);
  expect(await readdir(versions)).toEqual([String(value + 1)]);
}, 60_000);

test('keeps one copy of what it holds: the file is the newest version by another name', async () => {
  await increment(directory, 3);
  const both = ['number.json', '.number.json/3'].map((name) => stat(join(directory, name)));
  const [file, version] = await Promise.all(both);
  expect(file?.ino).toBe(version?.ino);
});
