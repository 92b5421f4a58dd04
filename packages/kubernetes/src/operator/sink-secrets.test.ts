import { afterEach, expect, test } from '@jest/globals';
import type { SinkDefinition } from '@kollect/core';
import { applySample, createWorld, deployment, type World } from './operator.fixture.ts';

const worlds: World[] = [];
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((each) => each.close()));
});

/** Sinks that read their password at each export. */
function start(): { readonly one: World; readonly passwords: string[] } {
  const passwords: string[] = [];
  const reading = (definition: SinkDefinition): SinkDefinition => ({
    ...definition,
    create: (context) => {
      const sink = definition.create(context);
      const password = context.credentials().then((credentials) => credentials['password'] ?? '');
      password.catch(() => undefined);
      return {
        ...sink,
        export: async (snapshot, options) => {
          passwords.push(await password);
          return sink.export(snapshot, options);
        },
      };
    },
  });
  const one = createWorld({ wrap: reading });
  worlds.push(one);
  applySample(one);
  one.put('KollectSink', 'store', { spec: { type: 'memory', secretRef: { name: 'store' } } });
  return { one, passwords };
}

function putSecret({ api }: World, password: string, name = 'store'): void {
  const data = { password: Buffer.from(password).toString('base64') };
  api.put({ apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'shop', name }, data });
}

test('a sink waits for its Secret, a rotated one replaces it, and one that is gone leaves it as it is', async () => {
  const { one, passwords } = start();
  one.start();
  await one.until('refused', () => one.condition('KollectSink', 'store', 'Ready')?.startsWith('False') === true);
  expect(one.rows()).toBeUndefined();
  putSecret(one, 'hunter1');
  await one.until('two rows', () => one.rows()?.length === 2);
  putSecret(one, 'hunter2');
  one.api.put(deployment('new'));
  await one.until('the second', () => passwords.at(-1) === 'hunter2');
  expect(passwords[0]).toBe('hunter1');
  one.api.remove('Secret', { namespace: 'shop', name: 'store' });
  await one.until('told', () => one.condition('KollectSink', 'store', 'Ready')?.startsWith('False') === true);
  one.api.put(deployment('newer'));
  await one.until('four rows', () => one.rows()?.length === 4);
  putSecret(one, 'hunter3');
  await one.until('the third', () => passwords.at(-1) === 'hunter3');
  await one.until('ready', () => one.condition('KollectSink', 'store', 'Ready') === 'True Accepted');
  expect(JSON.stringify([one.api.readAll('KollectSink'), one.api.readAll('Event'), one.logged])).not.toMatch(/hunter/u);
});

test('a sink that names another Secret, which cannot be read, is delivered to no more where it led before', async () => {
  const { one, passwords } = start();
  putSecret(one, 'hunter1');
  one.start();
  await one.until('two rows', () => one.rows()?.length === 2);
  one.put('KollectSink', 'store', { spec: { type: 'memory', secretRef: { name: 'elsewhere' } } });
  await one.until('told', () => one.condition('KollectSink', 'store', 'Ready')?.startsWith('False') === true);
  one.api.put(deployment('new'));
  await one.clock.advance(120_000);
  expect(one.rows()).toEqual(['cart', 'web']);
  putSecret(one, 'hunter2', 'elsewhere');
  await one.until('three rows', () => one.rows()?.length === 3);
  expect(passwords.at(-1)).toBe('hunter2');
});
