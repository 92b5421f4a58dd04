import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { startKubernetes, type KubernetesServer } from '../servers/index.ts';
import { applyCrds, createKubectl, type ObjectToApply } from '../support/kubernetes.ts';

const example = new URL('../../examples/operator/', import.meta.url);
let server: KubernetesServer;
beforeAll(async () => {
  server = await startKubernetes();
}, 180_000);
afterAll(() => server.stop());

test('the example shows rows and a message, that a deleted object goes, and that a sink to the metadata is refused', async () => {
  const child = spawn(process.execPath, [fileURLToPath(new URL('src/main.ts', example))], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  expect(output).toContain('Rows:     cart 1, web 3\n');
  expect(output).toContain('Message:  example:shop/workloads with ');
  expect(output).toContain('Rows:     web 5\n');
  expect(output).toContain('Status:   Ready True, Synced True, Degraded False\n');
  expect(output).toMatch(/refused\nAPI: .*403/u);
}, 240_000);

test('every manifest of the example is one that an API server takes, with no unknown field', async () => {
  const kubectl = createKubectl(server);
  await applyCrds(kubectl);
  const files = ['base', 'sample'].flatMap((folder) =>
    readdirSync(new URL(`deploy/${folder}`, example)).map((name) => `deploy/${folder}/${name}`),
  );
  const isKustomization = (file: string): boolean => file.endsWith('kustomization.yaml');
  const documents = files
    .filter((file) => !isKustomization(file))
    .flatMap((file) => parseAllDocuments(readFileSync(new URL(file, example), 'utf8')))
    .map((document) => document.toJS() as ObjectToApply);
  expect(documents.length).toBeGreaterThan(15);
  // Names of namespaces first: nothing can be applied into one that is not there.
  for (const name of ['kollect-system', 'shop'])
    await kubectl.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  for (const document of documents) await kubectl.apply(document);
  for (const file of files.filter(isKustomization)) {
    const { resources } = parse(readFileSync(new URL(file, example), 'utf8')) as {
      readonly resources: readonly string[];
    };
    for (const resource of resources)
      expect([resource, existsSync(new URL(resource, new URL(file, example)))]).toEqual([resource, true]);
  }
}, 60_000);
