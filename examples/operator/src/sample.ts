import type { ApiObject } from '@kollect/kubernetes';

const namespace = 'shop';

export interface Stores {
  /** `postgresql://…` of the database. */
  readonly dsn: string;
  readonly database: string;
  /** `host:port` of a Kafka; absent where there is none. */
  readonly broker?: string | undefined;
}

/** A Secret and the sinks that the sample's inventory names. */
export function sinksFor({ dsn, database, broker }: Stores): readonly ApiObject[] {
  const sink = (name: string, spec: object): ApiObject => ({
    apiVersion: 'kollect.dev/v1alpha1',
    kind: 'KollectSink',
    metadata: { namespace, name },
    spec,
  });
  return [
    { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name: 'portal' }, stringData: { dsn } },
    sink('portal', {
      type: 'postgres',
      postgres: { database, table: 'workloads', tls: { mode: 'disable' } },
      secretRef: { name: 'portal' },
    }),
    ...(broker === undefined
      ? []
      : [
          sink('events', {
            type: 'kafka',
            kafka: { brokers: [broker], topic: 'workloads', topicProvisioning: 'create' },
          }),
        ]),
  ];
}

/** Something to hold in an inventory. */
export function deployment(name: string, replicas: number): ApiObject {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace, name },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: `registry.example/${name}:1` }] } },
    },
  };
}
