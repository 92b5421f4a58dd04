import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

/** What another process of the tests draws, where this one was given every port. */
async function drawnBesideAll(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'kollect-claims-'));
  try {
    const claims = join(directory, `kollect-ports-${process.getuid?.() ?? 'all'}`);
    mkdirSync(claims);
    for (let port = 15_000; port < 30_000; port += 1) writeFileSync(join(claims, String(port)), String(process.pid));
    const draw = `import(${JSON.stringify(new URL('ports.ts', import.meta.url).href)}).then(({ freePort }) => freePort()).then(console.log, (error) => console.log(error.message))`;
    return (
      await promisify(execFile)(process.execPath, ['-e', draw], { env: { ...process.env, TMPDIR: directory } })
    ).stdout.trim();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

test('a port that a living process of the tests was given is not given to another one', async () => {
  expect(await drawnBesideAll()).toMatch(/^No free TCP port found/u);
});
