import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, expect, test } from '@jest/globals';
import { openTestDatabase } from './support/postgres.ts';
import type { DatabaseAccess } from './servers/index.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const example = /```ts\n(?<code>[\s\S]*?)```/u.exec(readme)?.groups?.['code'] ?? '';
// Where the packages resolve as they do for a user.
const cwd = fileURLToPath(new URL('../examples/postgres-exporter', import.meta.url));

let database: DatabaseAccess;
beforeEach(async () => {
  database = await openTestDatabase();
});
afterEach(() => database.drop());

const scratch = mkdtempSync(join(tmpdir(), 'kollect-readme-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function fileOf(ca: string): string {
  const file = join(scratch, 'ca.pem');
  writeFileSync(file, ca);
  return file;
}

/** With the authority given to the sample, and with one that Node trusts: then the sample gets an empty text. */
const trust: readonly (readonly [string, (ca: string) => NodeJS.ProcessEnv])[] = [
  ['with DATABASE_CA', (ca) => ({ DATABASE_CA: ca })],
  ['without DATABASE_CA', (ca) => ({ DATABASE_CA: undefined, NODE_EXTRA_CA_CERTS: fileOf(ca) })],
];

test.each(trust)(
  'the first code of the README runs as it is printed, and makes the rows it promises: %s',
  async (_, trusting) => {
    expect(example).toContain("from '@kollect/sink-postgres'");
    const metadata = (name: string) => ({ namespace: 'shop', name, uid: `uid-${name}`, labels: { team: '日本語' } });
    const items = [
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: metadata('web'),
        spec: { replicas: 3, template: { spec: { containers: [{ image: 'web:1' }] } } },
      },
      { apiVersion: 'v1', kind: 'Service', metadata: metadata('web-service') },
    ];
    const env = {
      ...process.env,
      DATABASE_URL: database.dsn,
      DATABASE_NAME: database.database,
      ...trusting(database.ca ?? ''),
    };
    const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', example], {
      cwd,
      env,
      stdio: 'pipe',
    });
    child.stdin.end(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(output).toContain("outcome: 'applied'");
    expect(output).toContain('inserted: 2');

    const rows = await database.query(
      "SELECT gvk, payload->>'name' AS name, payload->'attributes' AS attributes FROM workloads ORDER BY gvk",
    );
    expect(rows).toEqual([
      {
        gvk: 'apps/v1/Deployment',
        name: 'web',
        attributes: {
          '.metadata.labels': { team: '日本語' },
          '.spec.replicas': 3,
          '.spec.template.spec.containers[*].image': ['web:1'],
        },
      },
      { gvk: 'v1/Service', name: 'web-service', attributes: { '.metadata.labels': { team: '日本語' } } },
    ]);
  },
);
