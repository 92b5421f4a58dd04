// Every check of the project, one after the other, each within its limit; a failed one does not stop the next.
// The last line is `N passed, N failed`, and the exit code 1 where anything failed.
//   KOLLECT_CI_ENGINE   a program that brings a container engine up, where none answers
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findEngine } from './container-engine.ts';
import { findPackageManager, installPackages } from '../../test-integration/setup/system-packages.ts';
import { programPath, searchPath } from '../../test-integration/setup/tools.ts';
import { countTests, type Counts } from './results.ts';
import { endCommands, runCommand } from './run-command.ts';

process.env['PATH'] = searchPath();
const { packageManager } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly packageManager: string };
const pnpm = ['npx', '-y', packageManager, 'run'];
const scratch = mkdtempSync(join(tmpdir(), 'kollect-checks-'));
const total = { passed: 0, failed: 0, lines: new Array<string>() };

const say = (text: string): void => void process.stdout.write(`${text}\n`);

interface Check {
  readonly name: string;
  readonly script: readonly string[];
  readonly limitSeconds: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Reads what the check counted; without it the check counts as one. */
  readonly count?: (results: string) => Counts;
}

async function check({ name, script, limitSeconds, env = {}, count }: Check): Promise<void> {
  say(`\n=== ${name} (${Math.round(performance.now() / 1_000)} s)`);
  const results = join(scratch, `${name.replaceAll(/\W/gu, '-')}.results`);
  const ended = await runCommand([...pnpm, ...script], { env: { ...env, KOLLECT_CI_RESULTS: results }, limitSeconds });
  const counts = count?.(results) ?? { passed: ended === 0 ? 1 : 0, failed: 0, failures: [] };
  const failures = [...counts.failures];
  // A command may say no for a reason of its own, such as a teardown that threw.
  if (ended !== 0 && failures.length === 0) failures.push(typeof ended === 'string' ? ended : `ended with ${ended}`);
  total.passed += counts.passed;
  total.failed += failures.length;
  total.lines.push(
    `${name}: ${counts.passed} passed, ${failures.length} failed`,
    ...failures.map((line) => `  failed: ${line}`),
  );
}

/** Podman's networks need it, and its packages do not bring it. */
async function installIptables(): Promise<void> {
  const manager = programPath('iptables') === undefined ? findPackageManager() : undefined;
  const packages = { 'apt-get': ['iptables'], dnf: ['iptables'], brew: [] };
  if (manager !== undefined && manager.name !== 'brew') await installPackages(manager, [{ packages }]);
}

async function checkInContainers(): Promise<void> {
  await installIptables().catch((error: unknown) => say(String(error)));
  const engine = await findEngine(process.env['KOLLECT_CI_ENGINE']).catch((error: unknown) => say(String(error)));
  if (!engine) {
    total.lines.push('tests in containers: no engine answers, so the tests ran on local servers only');
    return;
  }
  await check({
    name: 'tests in containers',
    // What tells whether servers in containers are as good as those on this machine, on which every test has run already.
    script: [
      'test:integration',
      '--testPathPatterns=conformance|servers/postgres.test|servers/kafka.test|servers/nats.test|postgres/upsert|kafka/messages|nats/messages',
    ],
    limitSeconds: 1_800,
    env: { ...engine.env, KOLLECT_TEST_SERVERS: 'containers' },
    count: countTests,
  });
  await engine.stop().catch(() => undefined);
}

function finish(): never {
  endCommands();
  rmSync(scratch, { recursive: true, force: true });
  say(`\n=== summary (${Math.round(performance.now() / 1_000)} s)\n${total.lines.join('\n')}`);
  say(`${total.passed} passed, ${total.failed} failed`);
  process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    total.failed += 1;
    total.lines.push(`ended by ${signal}`);
    finish();
  });
}

await check({ name: 'lint', script: ['lint'], limitSeconds: 300 });
await check({ name: 'types', script: ['typecheck'], limitSeconds: 300 });
await check({ name: 'api reports', script: ['check:api'], limitSeconds: 300 });
// Built once on a machine, which takes longer there than all tests.
await check({ name: 'api server', script: ['setup', 'kubernetes'], limitSeconds: 2_400 });
// The command of the README.
await check({
  name: 'tests',
  script: ['test'],
  limitSeconds: 2_400,
  env: { KOLLECT_TEST_SERVERS: 'local' },
  count: countTests,
});
await check({
  name: 'packages',
  script: ['check:packages'],
  limitSeconds: 900,
  env: { KOLLECT_TEST_SERVERS: 'local' },
  count: (results) => JSON.parse(readFileSync(results, 'utf8')) as Counts,
});
await checkInContainers();
finish();
