// Starts jest with the flags that ESM needs. Integration tests talk to real servers, so a test may take 30 seconds.
// KOLLECT_NODE: the Node to test on, where it is not the one of the devDependencies.
// KOLLECT_CI_RESULTS: a file that gets one JSON line per event, so that a run that was cut short still tells what it saw.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { searchPath } from '../test-integration/setup/tools.ts';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
// Two files at once: most of their time they wait for servers.
const options = ['--config', path('jest.config.mjs'), '--testTimeout=30000', '--maxWorkers=2'];
if (process.env.KOLLECT_CI_RESULTS) options.push('--reporters=default', `--reporters=${path('results-reporter.mjs')}`);

const { status } = spawnSync(
  process.env.KOLLECT_NODE || process.execPath,
  [...flags, jest, ...options, ...process.argv.slice(2)],
  { stdio: 'inherit', env: { ...process.env, PATH: searchPath() } },
);
process.exit(status ?? 1);
