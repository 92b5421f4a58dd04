import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { waitUntil } from '../support/wait-until.ts';
import { findEngine } from './container-engine.ts';
import { queryOnce, type PostgresConnection } from './postgres-database.ts';
import { isRunning } from './processes.ts';
import { watch } from './watchdog.ts';

const PATIENCE_MS = 120_000;
const FIXTURE = fileURLToPath(new URL('abandoned-postgres.fixture.ts', import.meta.url));

interface Abandoned {
  readonly owner: ChildProcess;
  readonly server: PostgresConnection & { readonly stopCommand: string };
}

async function startOwner(...args: string[]): Promise<Abandoned> {
  const owner = spawn(process.execPath, [FIXTURE, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface({ input: owner.stdout }), 'line');
  return { owner, server: JSON.parse(String(line)) };
}

/** True when neither a process, nor a file, nor a container of the server is left. */
async function traces({ kind, stopCommand }: Abandoned['server']): Promise<() => Promise<boolean>> {
  if (kind === 'containers') {
    const name = stopCommand.split(' ').at(-1) ?? '';
    return async () => JSON.stringify(await (await findEngine())?.container.list()).includes(name);
  }
  const directory = stopCommand.split(' ').at(-1) ?? '';
  expect(existsSync(join(directory, 'data', 'postmaster.pid'))).toBe(true);
  return async () => existsSync(directory);
}

async function answers(server: PostgresConnection): Promise<boolean> {
  return queryOnce(server, 'SELECT 1').then(
    () => true,
    () => false,
  );
}

test(
  'a server dies with its owner, SIGKILL included, and leaves nothing',
  async () => {
    const { owner, server } = await startOwner();
    expect(await answers(server)).toBe(true);
    const left = await traces(server);
    expect(await left()).toBe(true);
    owner.kill('SIGKILL');
    await waitUntil(async () => !(await answers(server)), { what: 'the server is gone', timeoutMs: PATIENCE_MS });
    await waitUntil(async () => !(await left()), {
      what: 'its files or its container are gone',
      timeoutMs: PATIENCE_MS,
    });
  },
  2 * PATIENCE_MS,
);

test(
  'a server that is kept outlives its owner, and its stop command ends it',
  async () => {
    const { owner, server } = await startOwner('keep');
    if (owner.exitCode === null) await once(owner, 'exit');
    const left = await traces(server);
    expect(await answers(server)).toBe(true);
    if (server.kind === 'containers') {
      // The command needs a command-line client, which a machine with an engine alone may not have.
      const engine = await findEngine();
      await engine?.container.getById(server.stopCommand.split(' ').at(-1) ?? '').remove({ force: true, v: true });
    } else {
      await promisify(execFile)('sh', ['-c', server.stopCommand]);
    }
    await waitUntil(async () => !(await left()), { what: 'the kept server is gone', timeoutMs: PATIENCE_MS });
    expect(await answers(server)).toBe(false);
  },
  2 * PATIENCE_MS,
);

test('what is released is left alone', async () => {
  const watchdogModule = new URL('watchdog.ts', import.meta.url).href;
  const [released, watched] = await Promise.all([
    mkdtemp(join(tmpdir(), 'kollect-a-')),
    mkdtemp(join(tmpdir(), 'kollect-b-')),
  ]);
  const script = `
    const { watch } = await import(${JSON.stringify(watchdogModule)});
    watch({ directory: process.argv[1] })();
    watch({ directory: process.argv[2] });`;
  const owner = spawn(process.execPath, ['--input-type=module', '--eval', script, released, watched], {
    stdio: 'inherit',
  });
  expect(await once(owner, 'exit')).toEqual([0, null]);
  await waitUntil(() => !existsSync(watched), { what: 'the watched directory is gone' });
  expect(existsSync(released)).toBe(true);
  watch({ directory: released });
});

test('a process that ended, or never was, is not running', async () => {
  const child = spawn(process.execPath, ['--eval', '']);
  await once(child, 'exit');
  expect(isRunning(child.pid ?? 0)).toBe(false);
  expect(isRunning(process.pid)).toBe(true);
  expect(existsSync(dirname(FIXTURE))).toBe(true);
});
