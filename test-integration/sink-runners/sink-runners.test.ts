import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const here = dirname(fileURLToPath(import.meta.url));
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');

/** A test runner in a process of its own, as an author runs it. Jest itself runs the same suites beside the examples. */
async function run(args: readonly string[]): Promise<{ code: unknown; output: string; errors: string }> {
  const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, JEST_WORKER_ID: ___, ...env } = process.env;
  const child = spawn(process.execPath, args, { cwd: here, env: { ...env, CI: '1', NO_COLOR: '1' }, stdio: 'pipe' });
  child.stdin.end();
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, output, errors };
}

test.each(['file', 'webhook'])(
  'the %s sink passes the conformance suite under node:test',
  async (sink) => {
    const { code, output, errors } = await run(['--test', '--test-reporter=tap', `${sink}.node.ts`]);
    if (code !== 0) throw new Error(output + errors);
    expect(Number(/^# pass (\d+)$/mu.exec(output)?.[1])).toBeGreaterThan(30);
    expect(output).toMatch(/^# fail 0$/mu);
  },
  120_000,
);

test('every sink passes it under vitest', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kollect-vitest-'));
  try {
    const file = join(directory, 'report.json');
    const { code, output, errors } = await run([vitest, 'run', '--reporter=json', `--outputFile=${file}`]);
    if (code !== 0) throw new Error(output + errors);
    const report = JSON.parse(await readFile(file, 'utf8')) as VitestReport;
    expect(report.testResults).toHaveLength(2);
    expect(report.numPassedTests).toBe(report.numTotalTests);
    expect(report.numTotalTests).toBeGreaterThan(60);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}, 120_000);

interface VitestReport {
  readonly numPassedTests: number;
  readonly numTotalTests: number;
  readonly testResults: readonly unknown[];
}
