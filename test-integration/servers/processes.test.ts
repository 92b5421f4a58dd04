import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { waitUntil } from '../support/wait-until.ts';
import { stopProcess } from './processes.ts';

/** Writes to a file from several threads, without a pause. */
const writing = `
const { Worker } = require('node:worker_threads');
const write = "const fs = require('node:fs'); const file = fs.openSync(process.argv[2], 'a'); for (;;) fs.writeSync(file, '.');";
for (let thread = 0; thread < 4; thread += 1) new Worker(write, { eval: true, argv: [process.argv[1]] });
`;

test('a process that was stopped does nothing more, on any of its threads', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kollect-stopped-'));
  const file = join(directory, 'written');
  const child = spawn(process.execPath, ['-e', `process.argv[1] = ${JSON.stringify(file)};${writing}`], {
    stdio: 'ignore',
  });
  const { pid } = child;
  const sizeOf = async (): Promise<number> => (await stat(file).catch(() => ({ size: 0 }))).size;
  try {
    if (pid === undefined) throw new Error('The process did not start.');
    for (let round = 0; round < 5; round += 1) {
      const before = await sizeOf();
      await waitUntil(async () => (await sizeOf()) > before, { what: 'the threads write' });
      await stopProcess(pid);
      const stopped = await sizeOf();
      for (let look = 0; look < 200; look += 1) expect(await sizeOf()).toBe(stopped);
      process.kill(pid, 'SIGCONT');
    }
  } finally {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    await rm(directory, { recursive: true });
  }
}, 60_000);
