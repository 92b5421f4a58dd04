// Starts jest with the flags that ESM needs. Integration tests talk to real servers, so a test may take 30 seconds.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
const config = fileURLToPath(new URL('jest.config.mjs', import.meta.url));
const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
const { status } = spawnSync(process.execPath, [...flags, jest, '--config', config, '--testTimeout=30000', ...process.argv.slice(2)], { stdio: 'inherit' });
process.exit(status ?? 1);
