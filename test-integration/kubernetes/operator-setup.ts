import { tenantEgress, type Egress } from '@kollect/core';
import { clientNode, createOperator, type Operator, type OperatorOptions } from '@kollect/kubernetes';
import { kafkaSink } from '@kollect/sink-kafka';
import { postgresSink } from '@kollect/sink-postgres';
import type { KubernetesConnection } from '../servers/kubernetes.ts';
import type { DatabaseAccess } from '../servers/postgres-database.ts';
import { testKafka } from '../support/kafka.ts';
import type { Kubectl, ObjectToApply } from '../support/kubernetes.ts';

type Access = Pick<KubernetesConnection, 'url' | 'ca' | 'token'>;

/** What a KubeConfig of client-node says of the server. */
export function configOf({ url, ca, token }: Access): Parameters<typeof clientNode>[0] {
  return {
    getCurrentCluster: () => ({ server: url }),
    applyToHTTPSOptions: async (options) => {
      options.ca = ca;
      options.headers = { authorization: `Bearer ${token}` };
    },
  };
}

/** As for tenants, but that the stores of the tests, which are on this machine, may be dialled. */
export function testEgress(): Egress {
  return tenantEgress({ allow: ['127.0.0.0/8', '::1/128', '10.0.0.0/8', '172.16.0.0/12'] });
}

/** An operator on the API server, which runs until it is stopped. */
export function startOperator(
  server: Access,
  options: Partial<OperatorOptions> = {},
): { readonly operator: Operator; stop(): Promise<void> } {
  const api = clientNode(configOf(server));
  const operator = createOperator({
    api,
    cluster: 'east',
    sinks: [postgresSink, kafkaSink],
    egress: testEgress(),
    secretRefresh: '1s',
    ...options,
  });
  const running = operator.run();
  return {
    operator,
    stop: async () => {
      await operator.close();
      await running;
      await api.close();
    },
  };
}

const ours = 'kollect.dev/v1alpha1';

export function secretOf(namespace: string, { credentials }: DatabaseAccess, change: object = {}): ObjectToApply {
  const { username, password, host, port } = { ...credentials, ...change };
  const stringData = { username, password, host, port: String(port) };
  return { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name: 'database' }, stringData };
}

export function configMap(namespace: string, name: string, team: string): ObjectToApply {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name, labels: { team } }, data: { a: 'b' } };
}

export function inventory(namespace: string, spec: object = {}): ObjectToApply {
  const metadata = { namespace, name: 'portal' };
  return {
    apiVersion: ours,
    kind: 'KollectInventory',
    metadata,
    spec: { sinkRefs: [{ name: 'database' }], targetRefs: [{ name: 'maps' }], ...spec },
  };
}

/** A sink in the database, a target of ConfigMaps with a label, an inventory, and two ConfigMaps. */
export async function applySample(
  kubectl: Kubectl,
  namespace: string,
  database: DatabaseAccess,
  postgres: object = {},
): Promise<void> {
  await kubectl.apply(secretOf(namespace, database));
  await kubectl.apply({
    apiVersion: ours,
    kind: 'KollectSink',
    metadata: { namespace, name: 'database' },
    spec: {
      type: 'postgres',
      secretRef: { name: 'database' },
      postgres: { database: database.database, table: tableOf(namespace), tls: { mode: 'disable' }, ...postgres },
    },
  });
  await kubectl.apply({
    apiVersion: ours,
    kind: 'KollectTarget',
    metadata: { namespace, name: 'maps' },
    spec: {
      resources: [{ apiVersion: 'v1', kind: 'ConfigMap' }],
      labelSelector: { matchExpressions: [{ key: 'team', operator: 'Exists' }] },
      attributes: { team: '.metadata.labels.team' },
    },
  });
  await kubectl.apply(configMap(namespace, 'cart', 'green'));
  await kubectl.apply(configMap(namespace, 'web', 'blue'));
  await kubectl.apply(inventory(namespace));
}

/** A sink in a topic. */
export function topicSink(namespace: string, topic: string): ObjectToApply {
  return {
    apiVersion: ours,
    kind: 'KollectSink',
    metadata: { namespace, name: 'topic' },
    spec: { type: 'kafka', kafka: { brokers: [...testKafka().listeners.plaintext], topic } },
  };
}

/** Each test has a table of its own. */
const tableOf = (namespace: string): string => namespace.replaceAll('-', '_');

/** `cart:green` of each row of the namespace, in order; undefined while there is no table. */
export async function rowsIn(database: DatabaseAccess, namespace: string): Promise<string | undefined> {
  try {
    const rows = await database.query<{ name: string; team: string; cluster: string }>(
      `SELECT payload->>'name' AS name, payload->'attributes'->>'team' AS team, cluster FROM ${tableOf(namespace)}
       WHERE inventory_namespace = $1 ORDER BY 3, 1`,
      [namespace],
    );
    return rows.map(({ name, team, cluster }) => `${cluster}/${name}:${team}`).join(' ');
  } catch (error) {
    if ((error as { code?: string }).code === '42P01') return undefined;
    throw error;
  }
}
