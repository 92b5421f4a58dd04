// A cluster, its stores and the operator, started here: what is deployed becomes rows and messages, and what is deleted goes.
import { setTimeout as sleep } from 'node:timers/promises';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { createSinkRegistry } from '@kollect/core';
import { formatCrds, generateAdmissionPolicy, generateCrds, type ApiObject } from '@kollect/kubernetes';
import { jsonLogger, readSettings, runOperator } from '@kollect/operator';
import { kafkaSink } from '@kollect/sink-kafka';
import { natsSink } from '@kollect/sink-nats';
import { postgresSink } from '@kollect/sink-postgres';
import {
  readTopic,
  startKafka,
  startKubernetes,
  startPostgres,
  type ReadRecord,
} from '@kollect/test-integration/servers/index.ts';
import pg from 'pg';
import { openCluster, type Cluster } from './cluster.ts';
import { deployment, sinksFor } from './sample.ts';

const show = (line: string): void => void process.stdout.write(`${line}\n`);
/** Where the stores of this example are. Sinks of tenants may not dial loopback otherwise. */
const ours = '127.0.0.0/8';
const signal = AbortSignal.timeout(600_000);
const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stopping.abort());

async function main(): Promise<void> {
  const sinks = [postgresSink, kafkaSink, natsSink];
  const [server, postgres, kafka] = await Promise.all([startKubernetes(), startPostgres(), startKafka()]);
  const stores = new pg.Pool({ connectionString: postgres.dsn(), max: 1 });
  show(`Started kube-apiserver ${server.version}, PostgreSQL ${postgres.version} and Kafka ${kafka.version}.`);
  const admin = openCluster(configOf(server, server.token));
  try {
    show('\n1. Install: definitions, rights as small as they can be, and the policy that refuses what no sink may say');
    const registry = createSinkRegistry(sinks);
    const definitions = await admin.apply(generateCrds(registry).map((definition) => ({ ...definition })));
    show(`${String(definitions.length)} definitions, ${String(formatCrds(generateCrds(registry)).length)} bytes.`);
    await admin.apply('base/namespace.yaml');
    await admin.apply('base/rbac.yaml');
    await admin.apply(
      Object.values(generateAdmissionPolicy({ registry, egress: { allow: [ours] } })).map((object) => ({ ...object })),
    );
    await admin.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }]);
    await admin.apply('sample/readers.yaml');

    const token = await tokenOfOperator(configOf(server, server.token));
    const settings = readSettings(['--port', '0', '--cluster', 'example', '--allow', ours], {});
    const logger = jsonLogger((line) => void (process.env['DEBUG'] && process.stderr.write(line)));
    const running = runOperator({ settings, logger, signal: stopping.signal, config: configOf(server, token) });
    running.catch(() => undefined);

    show('\n2. Apply two sinks, what an inventory holds, and two Deployments');
    const [broker] = kafka.bootstrap.split(',');
    await admin.apply(sinksFor({ dsn: postgres.dsn(), database: 'postgres', broker }));
    await admin.apply('sample/resources.yaml');
    await admin.apply([deployment('web', 3), deployment('cart', 1)]);
    const rows = () =>
      stores
        .query<{ name: string; replicas: number }>(
          `SELECT payload->>'name' AS name, (payload->'attributes'->>'replicas')::int AS replicas FROM workloads ORDER BY 1`,
        )
        .then((result) => result.rows)
        .catch(() => []);
    show(`Rows:     ${await until(async () => asText(await rows()), 'cart 1, web 3', running)}`);
    const inventories = await admin.find('kollect.dev/v1alpha1', 'KollectInventory');
    const status = async (): Promise<string> => {
      const found = await admin.api.get(inventories, { namespace: 'shop', name: 'workloads' }, { signal });
      return conditionsOf(found);
    };
    const delivered = 'Ready True, Synced True, Degraded False';
    // The table may be written before the topic is made.
    await until(status, delivered, running);
    const [first] = await readTopic(kafka, 'workloads', { count: 1 });
    show(`Message:  ${String(first?.key)} with ${headerOf(first, 'kollect.dev/checksum').slice(0, 12)}…`);

    show('\n3. Scale one, delete the other');
    await admin.apply([deployment('web', 5)]);
    const type = await admin.find('apps/v1', 'Deployment');
    await admin.api.delete(type, { namespace: 'shop', name: 'cart' }, { signal });
    show(`Rows:     ${await until(async () => asText(await rows()), 'web 5', running)}`);

    show(`Status:   ${await until(status, delivered, running)}`);

    show('\n4. A sink to the metadata of the cloud is refused');
    show(`API:      ${await refusalOf(admin, { brokers: ['169.254.169.254:80'], topic: 'x' })}`);

    stopping.abort();
    await running;
    show('\nThe operator delivered what it owed and ended.');
  } finally {
    stopping.abort();
    await stores.end();
    await admin.api.close();
    await Promise.all([server.stop(), postgres.stop(), kafka.stop()]);
  }
}

function configOf({ url, ca }: { readonly url: string; readonly ca: string }, token: string): KubeConfig {
  const config = new KubeConfig();
  const caData = Buffer.from(ca).toString('base64');
  config.loadFromClusterAndUser(
    { name: 'example', server: url, caData, skipTLSVerify: false },
    { name: 'user', token },
  );
  return config;
}

/** As the pod would get it. */
async function tokenOfOperator(config: KubeConfig): Promise<string> {
  const { status } = await config.makeApiClient(CoreV1Api).createNamespacedServiceAccountToken({
    name: 'kollect-operator',
    namespace: 'kollect-system',
    body: { spec: { audiences: ['https://kubernetes.default.svc'], expirationSeconds: 3_600 } },
  });
  return status?.token ?? '';
}

/** Resolves once it is so, to what it is; rejects where it does not come to pass within a minute, or the operator ended. */
async function until(look: () => Promise<string>, wanted: string, running: Promise<void>): Promise<string> {
  let ended: unknown;
  running.catch((error: unknown) => (ended = error));
  let seen = '';
  for (let attempt = 0; attempt < 600 && ended === undefined; attempt += 1) {
    seen = await look();
    if (seen === wanted) return seen;
    await sleep(100);
  }
  throw ended instanceof Error ? ended : new Error(`Expected ${wanted} and found ${seen || 'nothing'}.`);
}

/** What the API server says to such a sink; a policy works a moment after it was made. */
async function refusalOf(cluster: Cluster, kafka: object): Promise<string> {
  const metadata = { namespace: 'shop', name: 'evil' };
  const sink = { apiVersion: 'kollect.dev/v1alpha1', kind: 'KollectSink', metadata, spec: { type: 'kafka', kafka } };
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const refused = await cluster.apply([sink]).then(
      () => undefined,
      (error: Error) => error.message,
    );
    if (refused !== undefined) return refused;
    await cluster.api.delete(await cluster.find(sink.apiVersion, sink.kind), metadata, { signal });
    await sleep(200);
  }
  return 'taken';
}

function headerOf(record: ReadRecord | undefined, wanted: string): string {
  return String(record?.headers.find(([name]) => name === wanted)?.[1]);
}

function asText(rows: readonly { readonly name: string; readonly replicas: number }[]): string {
  return rows.map(({ name, replicas }) => `${name} ${String(replicas)}`).join(', ');
}

function conditionsOf(object: ApiObject | undefined): string {
  const { conditions = [] } = Object(object?.['status']) as {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
  const order = ['Ready', 'Synced', 'Degraded'];
  return order
    .flatMap((type) => conditions.filter((each) => each.type === type))
    .map(({ type, status }) => `${type} ${status}`)
    .join(', ');
}

await main();
