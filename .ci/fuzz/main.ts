// All random models and byte fuzzers, for longer than a test run has for them. What fails says the seed and how to have it again.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { commandFor, minutesEach, readFuzzOptions, type FuzzOptions } from './fuzz-options.ts';
import { findFuzzSuites } from './fuzz-suites.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const say = (line: string): void => void process.stdout.write(`${line}\n`);

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): boolean {
  return (
    spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } }).status === 0
  );
}

function fuzzAll(options: FuzzOptions): readonly string[] {
  const { minutes, seed, suites } = options;
  const each = minutesEach(options);
  say(`seed ${seed}, ${minutes} minutes: ${suites.map(({ name }) => name).join(', ')}`);
  if (suites.some(({ project }) => project === 'integration')) run(['test-integration/setup/main.ts']);
  return suites.flatMap(({ name, file, project, tests }) => {
    say(`\n=== ${name} (${(each * tests).toFixed(1)} minutes)`);
    const passed = run(['.ci/jest.mjs', `--selectProjects=${project}`, '--runTestsByPath', file], {
      KOLLECT_FUZZ_SEED: String(seed),
      KOLLECT_FUZZ_MINUTES: String(each),
    });
    return passed ? [] : [`failed: ${name}; again with: ${commandFor({ minutes: each * tests, seed }, name)}`];
  });
}

try {
  const options = readFuzzOptions(process.argv.slice(2), findFuzzSuites(root));
  const failures = fuzzAll(options);
  say(`\nseed ${options.seed}: ${options.suites.length - failures.length} passed, ${failures.length} failed`);
  for (const line of failures) say(line);
  process.exitCode = failures.length === 0 ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
