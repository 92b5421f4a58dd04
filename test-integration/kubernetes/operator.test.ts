import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { createKafkaAdmin } from '../servers/kafka-admin.ts';
import { readTopic } from '../servers/kafka-reader.ts';
import { startKubernetes, type KubernetesServer } from '../servers/index.ts';
import type { DatabaseAccess } from '../servers/postgres-database.ts';
import { openTestTopic, testKafka } from '../support/kafka.ts';
import { applyCrds, createKubectl, pathOf, type Kubectl } from '../support/kubernetes.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { waitUntil } from '../support/wait-until.ts';
import { applySample, configMap, inventory, rowsIn, secretOf, startOperator, topicSink } from './operator-setup.ts';

let server: KubernetesServer;
let kubectl: Kubectl;
let database: DatabaseAccess;
let namespace: string;
const stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  [server, database] = await Promise.all([startKubernetes(), openTestDatabase()]);
  kubectl = createKubectl(server);
  await applyCrds(kubectl);
}, 180_000);
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
  await database.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
});
afterAll(async () => {
  await server.stop();
  await database.drop();
});

const start = (...options: Parameters<typeof startOperator>) => {
  const started = startOperator(...options);
  stops.push(() => started.stop());
  return started;
};
const mapPath = (name: string): string => pathOf('v1', 'configmaps', namespace, name);
const ours = (plural: string, name: string): string => pathOf('kollect.dev/v1alpha1', plural, namespace, name);
const waitForRows = (expected: string, timeoutMs = 30_000): Promise<unknown> =>
  waitUntil(async () => (await rowsIn(database, namespace)) === expected, {
    what: `the rows are ${expected}`,
    timeoutMs,
  });
async function condition(plural: string, name: string, type: string): Promise<string | undefined> {
  const status = Object((await kubectl.get(ours(plural, name)))?.['status']) as {
    conditions?: Record<string, string>[];
  };
  const found = status.conditions?.find((each) => each['type'] === type);
  return found === undefined ? undefined : `${String(found['status'])} ${String(found['reason'])}`;
}
const waitForCondition = (plural: string, name: string, type: string, expected: string): Promise<unknown> =>
  waitUntil(async () => (await condition(plural, name, type)) === expected, {
    what: `${type} of ${plural} ${name} is ${expected}`,
    timeoutMs: 30_000,
  });

test('what is applied becomes rows and messages, what is deleted goes, and the inventory is let go when nothing is left of it', async () => {
  namespace = await kubectl.namespace();
  const topic = await openTestTopic();
  stops.push(() => topic.drop());
  start(server);
  await applySample(kubectl, namespace, database);
  await kubectl.apply(topicSink(namespace, topic.name));
  await kubectl.apply(inventory(namespace, { sinkRefs: [{ name: 'database' }, { name: 'topic' }] }));
  await waitForRows('east/cart:green east/web:blue');
  await waitForCondition('kollectinventories', 'portal', 'Synced', 'True Delivered');
  await waitForCondition('kollectsinks', 'database', 'Ready', 'True Accepted');
  await waitForCondition('kollecttargets', 'maps', 'Ready', 'True Accepted');
  await kubectl.delete(mapPath('web'));
  await waitForRows('east/cart:green');
  const counts = async (): Promise<readonly unknown[]> => {
    const records = await readTopic(testKafka(), topic.name);
    return records.map(({ value }) =>
      value === null ? 'removed' : (JSON.parse(String(value)) as { itemCount: number }).itemCount,
    );
  };
  await waitUntil(async () => (await counts()).at(-1) === 1, {
    what: 'the topic tells of one item',
    timeoutMs: 30_000,
  });
  expect(await counts()).toContain(2);
  await kubectl.delete(ours('kollectinventories', 'portal'));
  await waitUntil(async () => (await kubectl.get(ours('kollectinventories', 'portal'))) === undefined, {
    what: 'the inventory is gone',
    timeoutMs: 30_000,
  });
  expect(await rowsIn(database, namespace)).toBe('');
  expect((await counts()).at(-1)).not.toBe(1);
}, 120_000);

test('while the API server is gone rows stay, and what was deleted goes once it is back', async () => {
  namespace = await kubectl.namespace();
  const { operator } = start(server);
  await applySample(kubectl, namespace, database);
  await waitForRows('east/cart:green east/web:blue');
  await server.kill();
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  expect(await rowsIn(database, namespace)).toBe('east/cart:green east/web:blue');
  expect(operator.health.live).toBe(true);
  await server.start();
  await kubectl.delete(mapPath('cart'));
  await waitForRows('east/web:blue', 90_000);
}, 150_000);

test('a rotated password reaches the database without a lost export', async () => {
  namespace = await kubectl.namespace();
  start(server);
  const { username } = { username: `rotated_${namespace.replaceAll('-', '_')}` };
  await database.query(`CREATE ROLE ${username} LOGIN SUPERUSER PASSWORD 'before'`);
  stops.push(() => database.query(`DROP OWNED BY ${username}; DROP ROLE ${username}`));
  await applySample(kubectl, namespace, database);
  await kubectl.apply(secretOf(namespace, database, { username, password: 'before' }));
  await waitForRows('east/cart:green east/web:blue');
  await waitForCondition('kollectsinks', 'database', 'Synced', 'True Delivered');
  await database.query(`ALTER ROLE ${username} PASSWORD 'after'`);
  await kubectl.apply(secretOf(namespace, database, { username, password: 'after' }));
  await kubectl.apply(configMap(namespace, 'new', 'red'));
  await waitForRows('east/cart:green east/new:red east/web:blue');
  await waitForCondition('kollectsinks', 'database', 'Degraded', 'False AsExpected');
}, 120_000);

test('a password of Kafka that rotates under load loses no export', async () => {
  namespace = await kubectl.namespace();
  const topic = await openTestTopic();
  stops.push(() => topic.drop());
  const kafka = createKafkaAdmin(testKafka());
  const username = `rotated-${namespace}`;
  const secret = (password: string) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace, name: 'events' },
    stringData: { username, password },
  });
  await kafka.setPasswords([{ username, password: 'before' }]);
  await kafka.grant({ principal: username, resource: 'topic', name: topic.name, operations: ['WRITE', 'DESCRIBE'] });
  await kubectl.apply(secret('before'));
  await applySample(kubectl, namespace, database);
  const brokers = [...testKafka().listeners.sasl];
  const spec = { brokers, topic: topic.name, sasl: { mechanism: 'scram-sha-512' }, tls: { mode: 'disable' } };
  await kubectl.apply({
    apiVersion: 'kollect.dev/v1alpha1',
    kind: 'KollectSink',
    metadata: { namespace, name: 'events' },
    spec: { type: 'kafka', kafka: spec, secretRef: { name: 'events' } },
  });
  await kubectl.apply(
    inventory(namespace, { sinkRefs: [{ name: 'database' }, { name: 'events' }], exportMinInterval: '0s' }),
  );
  start(server);
  await waitForCondition('kollectsinks', 'events', 'Synced', 'True Delivered');
  for (let index = 0; index < 40; index += 1) {
    await kubectl.apply(configMap(namespace, `map-${String(index)}`, 'red'));
    if (index !== 15) continue;
    await kafka.setPasswords([{ username, password: 'after' }]);
    // A connection that is open would stay so: a wrong password shows that each one makes a new one.
    await kubectl.apply(secret('wrong'));
    await waitForCondition('kollectsinks', 'events', 'Degraded', 'True AuthenticationFailed');
    await kubectl.apply(secret('after'));
  }
  const last = async (): Promise<readonly string[]> => {
    const value = (await readTopic(testKafka(), topic.name)).at(-1)?.value;
    const { items } = JSON.parse(String(value)) as { readonly items: readonly { readonly name: string }[] };
    return items.map(({ name }) => name);
  };
  const all = ['cart', 'web', ...Array.from({ length: 40 }, (_, index) => `map-${String(index)}`)];
  await waitUntil(async () => (await last()).length === all.length, {
    what: 'the last message holds all ConfigMaps',
    timeoutMs: 60_000,
  });
  expect(new Set(await last())).toEqual(new Set(all));
  await waitForCondition('kollectsinks', 'events', 'Degraded', 'False AsExpected');
}, 180_000);

test('a connection test tells its steps, and a wrong password its code', async () => {
  namespace = await kubectl.namespace();
  start(server);
  await applySample(kubectl, namespace, database);
  const run = async (name: string): Promise<Record<string, unknown>> => {
    const apiVersion = 'kollect.dev/v1alpha1';
    await kubectl.apply({
      apiVersion,
      kind: 'KollectConnectionTest',
      metadata: { namespace, name },
      spec: { sinkRef: { name: 'database' } },
    });
    const status = async () =>
      Object((await kubectl.get(ours('kollectconnectiontests', name)))?.['status']) as Record<string, unknown>;
    await waitUntil(async () => (await status())['completedAt'] !== undefined, {
      what: `${name} is completed`,
      timeoutMs: 30_000,
    });
    return status();
  };
  const good = await run('good');
  expect(good).not.toHaveProperty('code');
  expect(good['conditions']).toMatchObject([{ type: 'ConnectionVerified', status: 'True' }]);
  await kubectl.apply(secretOf(namespace, database, { username: 'nobody', password: 'hunter2' }));
  await new Promise((resolve) => setTimeout(resolve, 11_000));
  const bad = await run('bad');
  expect(bad['code']).toBe('AUTHENTICATION_FAILED');
  expect(JSON.stringify(bad)).not.toContain('hunter2');
}, 120_000);

test('a leader that is killed is followed by the other, and nothing older comes after', async () => {
  namespace = await kubectl.namespace();
  const { url, ca, token } = server;
  const leading = new Map<string, boolean>();
  const fixture = fileURLToPath(new URL('operator-process.fixture.ts', import.meta.url));
  const launch = (identity: string): ChildProcess => {
    const child = fork(fixture, [JSON.stringify({ server: { url, ca, token }, identity })], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    child.on('message', (message: { leading: boolean }) => void leading.set(identity, message.leading));
    const exited = once(child, 'exit');
    stops.push(() => {
      if (child.exitCode === null && child.signalCode === null) child.disconnect();
      return exited;
    });
    return child;
  };
  const first = launch('first');
  await waitUntil(() => leading.get('first'), { what: 'the first leads', timeoutMs: 30_000 });
  launch('second');
  await applySample(kubectl, namespace, database);
  await waitForRows('east/cart:green east/web:blue');
  expect(leading.get('second') ?? false).toBe(false);
  first.kill('SIGKILL');
  await kubectl.delete(mapPath('cart'));
  await waitForRows('east/web:blue', 60_000);
  expect(leading.get('second')).toBe(true);
}, 150_000);

test('two clusters write into one table, each its own rows', async () => {
  const other = await startKubernetes();
  stops.push(() => other.stop());
  const otherKubectl = createKubectl(other);
  await applyCrds(otherKubectl);
  namespace = await kubectl.namespace();
  await otherKubectl.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  start(server, { cluster: 'east' });
  start(other, { cluster: 'west' });
  await applySample(kubectl, namespace, database, { clusterInKey: true });
  await applySample(otherKubectl, namespace, database, { clusterInKey: true });
  await waitForRows('east/cart:green east/web:blue west/cart:green west/web:blue');
  await kubectl.delete(ours('kollectinventories', 'portal'));
  await waitForRows('west/cart:green west/web:blue');
}, 180_000);
