import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { findJava } from '../servers/kafka-jars.ts';
import { findKubernetesBinaries } from '../servers/kubernetes-binaries.ts';
import { findNatsBinary } from '../servers/nats-binary.ts';
import { scripts } from './system-packages.ts';
import { howToInstall, programPath, searchPath, tools } from './tools.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kollect-setup-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A dnf that knows the given packages and writes down what it was told. */
function makeDnf(known: readonly string[]): void {
  const path = join(directory, 'dnf');
  const body = `echo "$@" >>${directory}/calls; case "$2" in info) case " ${known.join(' ')} " in *" $3 "*) ;; *) exit 1;; esac;; esac`;
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
}

const runScript = (script: string) =>
  spawnSync('sh', ['-c', script], {
    env: { PATH: `${directory}${delimiter}/usr/bin${delimiter}/bin` },
    encoding: 'utf8',
  });

test('of the packages that would do, the first that the system knows is installed', () => {
  makeDnf(['pgbouncer', 'java-17-openjdk-headless']);
  expect(runScript(scripts.dnf([['pgbouncer'], ['java-21-openjdk-headless', 'java-17-openjdk-headless']])).status).toBe(
    0,
  );
  const calls = readFileSync(join(directory, 'calls'), 'utf8').trim().split('\n');
  expect(calls.at(-1)).toBe('-q install -y pgbouncer java-17-openjdk-headless');
});

test('the scripts for every manager can be read by sh', () => {
  for (const [name, script] of Object.entries(scripts)) {
    const choices = tools.map(({ packages }) => packages[name as keyof typeof scripts]);
    expect(execFileSync('sh', ['-n', '-c', script(choices)], { encoding: 'utf8' })).toBe('');
  }
});

test('every tool that the tests need is there, or the run says how to get it', async () => {
  for (const program of ['pgbouncer', 'promtool'])
    expect([program, programPath(program)]).toEqual([program, expect.any(String)]);
  expect(await findNatsBinary()).toEqual({ path: expect.any(String), version: expect.stringMatching(/^2\.\d+/u) });
  expect(await findKubernetesBinaries()).toEqual({ apiServer: expect.any(String), etcd: expect.any(String) });
  expect(howToInstall(['PgBouncer'])).toMatch(/^(apt-get|brew) install pgbouncer$/u);
});

test('programs are looked for where Debian keeps servers, and nowhere twice', () => {
  const directories = searchPath('/usr/sbin:/usr/bin').split(delimiter);
  expect(directories).toContain('/sbin');
  expect(new Set(directories).size).toBe(directories.length);
});

test('a Java that the set-up installs is found by the process that looked in vain before', async () => {
  const { PATH: path, JAVA_HOME: home } = process.env;
  try {
    process.env['PATH'] = directory;
    delete process.env['JAVA_HOME'];
    expect(await findJava()).toBeUndefined();
    writeFileSync(join(directory, 'java'), `#!/bin/sh\necho 'openjdk version "17.0.21.1" 2026-11-17' >&2\n`);
    chmodSync(join(directory, 'java'), 0o755);
    expect(await findJava()).toBe('java');
  } finally {
    process.env['PATH'] = path;
    if (home !== undefined) process.env['JAVA_HOME'] = home;
  }
});
