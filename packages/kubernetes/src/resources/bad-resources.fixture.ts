import { inventorySpec, kafkaSpec, natsSpec, postgresSpec, targetSpec } from './resources.fixture.ts';

/**
 * Who refuses it first: `schema` and `rule` are the API server's, by the CRD (an unknown field with strict field validation alone); `parser` knows what
 * neither can say.
 */
export type RefusedBy = 'schema' | 'rule' | 'unknown-field' | 'parser';

export interface BadResource {
  readonly title: string;
  readonly kind: string;
  readonly spec: unknown;
  /** What the message names. */
  readonly path: string;
  readonly refusedBy: RefusedBy;
}

const long = (length: number): string => 'a'.repeat(length);
const entries = (count: number): object =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${String(index)}`, 'spec']));
const pg = (change: object): object => ({ ...postgresSpec, postgres: { ...postgresSpec.postgres, ...change } });
const kafka = (change: object): object => ({ ...kafkaSpec, kafka: { ...kafkaSpec.kafka, ...change } });
const nats = (change: object): object => ({ ...natsSpec, nats: { ...natsSpec.nats, ...change } });

type Row = readonly [title: string, spec: unknown, path: string, refusedBy: RefusedBy];

const sinks: readonly Row[] = [
  ['no spec', undefined, 'spec', 'schema'],
  ['a spec that is a list', [], 'spec', 'schema'],
  ['no type', { postgres: postgresSpec.postgres }, 'type', 'schema'],
  ['a type that is a number', { ...postgresSpec, type: 5 }, 'type', 'schema'],
  ['an unknown type', { type: 'oracle' }, 'type', 'schema'],
  ['the block of an unknown type', { ...postgresSpec, oracle: {} }, 'oracle', 'unknown-field'],
  ['a type with a capital', { ...postgresSpec, type: 'Postgres' }, 'type', 'schema'],
  ['the block of another type', { ...kafkaSpec, type: 'postgres' }, 'kafka', 'rule'],
  ['two blocks', { ...kafkaSpec, ...postgresSpec }, 'kafka', 'rule'],
  ['no block', { type: 'postgres' }, 'postgres', 'rule'],
  ['a block that is a text', { type: 'postgres', postgres: 'x' }, 'postgres', 'schema'],
  ['an unknown field of the spec', { ...postgresSpec, secret: 'x' }, 'secret', 'unknown-field'],
  ['an unknown field of the block', pg({ tabel: 'x' }), 'tabel', 'unknown-field'],
  ['no table', { type: 'postgres', postgres: { database: 'd' } }, 'table', 'schema'],
  ['a table that is a number', pg({ table: 7 }), 'table', 'schema'],
  ['an empty table', pg({ table: '' }), 'table', 'schema'],
  ['a table of 70 letters', pg({ table: long(70) }), 'table', 'schema'],
  ['an unknown mode', pg({ mode: 'apend' }), 'mode', 'schema'],
  ['a duration without a unit', pg({ connectTimeout: '30' }), 'connectTimeout', 'schema'],
  ['a pool of none', pg({ poolSize: 0 }), 'poolSize', 'schema'],
  ['a host, which belongs into the credentials', pg({ host: 'db' }), 'host', 'unknown-field'],
  ['an unknown mode of TLS', pg({ tls: { mode: 'on' } }), 'tls.mode', 'schema'],
  ['a URL as database', pg({ database: 'postgres://db/inventory' }), 'database', 'parser'],
  ['no brokers', kafka({ brokers: [] }), 'brokers', 'schema'],
  ['brokers that are a text', kafka({ brokers: 'kafka:9093' }), 'brokers', 'schema'],
  ['a broker without a name', kafka({ brokers: [':9093'] }), 'brokers[0]', 'parser'],
  ['a broker with two dots', kafka({ brokers: ['a..b:9093'] }), 'brokers[0]', 'parser'],
  ['an unknown compression', kafka({ compression: 'brotli' }), 'compression', 'schema'],
  ['no servers', nats({ servers: [] }), 'servers', 'schema'],
  ['a stream of 300 letters', nats({ stream: long(300) }), 'stream', 'schema'],
  ['a Secret without a name', { ...postgresSpec, secretRef: {} }, 'secretRef.name', 'schema'],
  ['a Secret with capitals', { ...postgresSpec, secretRef: { name: 'Portal' } }, 'secretRef.name', 'schema'],
  ['a Secret of another namespace', { ...postgresSpec, secretRef: { name: 'a/b' } }, 'secretRef.name', 'schema'],
  [
    'a namespace of the Secret',
    { ...postgresSpec, secretRef: { name: 'a', namespace: 'b' } },
    'secretRef.namespace',
    'unknown-field',
  ],
  [
    'preset and keys',
    { ...postgresSpec, secretRef: { name: 'a', preset: 'zalando', keys: { dsn: 'd' } } },
    'secretRef',
    'rule',
  ],
  [
    'a key with a slash',
    { ...postgresSpec, secretRef: { name: 'a', keys: { dsn: 'a/b' } } },
    'secretRef.keys',
    'schema',
  ],
  ['65 keys of a Secret', { ...postgresSpec, secretRef: { name: 'a', keys: entries(65) } }, 'secretRef.keys', 'schema'],
  ['an empty ca', { ...postgresSpec, ca: {} }, 'ca', 'rule'],
  ['a ca from two places', { ...postgresSpec, ca: { bundle: 'x', secretRef: { name: 'a', key: 'b' } } }, 'ca', 'rule'],
  ['a ca without a key', { ...postgresSpec, ca: { configMapRef: { name: 'a' } } }, 'ca.configMapRef.key', 'schema'],
  [
    'a deadline that is no duration',
    { ...postgresSpec, delivery: { deadline: 'soon' } },
    'delivery.deadline',
    'schema',
  ],
  [
    'a thousand retries',
    { ...postgresSpec, delivery: { retry: { retries: 1_000 } } },
    'delivery.retry.retries',
    'schema',
  ],
  ['a typo of delivery', { ...postgresSpec, delivery: { retires: 3 } }, 'retires', 'unknown-field'],
];

const inventories: readonly Row[] = [
  ['no sinks', {}, 'sinkRefs', 'schema'],
  ['an empty list of sinks', { sinkRefs: [] }, 'sinkRefs', 'schema'],
  [
    '21 sinks',
    { sinkRefs: Array.from({ length: 21 }, (_, index) => ({ name: `s${String(index)}` })) },
    'sinkRefs',
    'schema',
  ],
  ['a sink twice', { sinkRefs: [{ name: 'a' }, { name: 'a' }] }, 'sinkRefs[1]', 'schema'],
  ['a sink without a name', { sinkRefs: [{}] }, 'sinkRefs[0].name', 'schema'],
  ['sinks as texts', { sinkRefs: ['portal'] }, 'sinkRefs[0]', 'schema'],
  ['a target twice', { ...inventorySpec, targetRefs: [{ name: 'a' }, { name: 'a' }] }, 'targetRefs[1]', 'schema'],
  ['suspend as a text', { ...inventorySpec, suspend: 'yes' }, 'suspend', 'schema'],
  [
    'an interval that is no duration',
    { ...inventorySpec, exportMinInterval: '1 minute' },
    'exportMinInterval',
    'schema',
  ],
  ['an unknown field of an inventory', { ...inventorySpec, sinks: [] }, 'sinks', 'unknown-field'],
];

const targets: readonly Row[] = [
  ['no resources', { attributes: {} }, 'resources', 'schema'],
  ['an empty list of resources', { ...targetSpec, resources: [] }, 'resources', 'schema'],
  ['a resource without a kind', { resources: [{ apiVersion: 'v1' }] }, 'resources[0].kind', 'schema'],
  ['a kind with a dash', { resources: [{ apiVersion: 'v1', kind: 'Config-Map' }] }, 'resources[0].kind', 'schema'],
  ['an apiVersion with capitals', { resources: [{ apiVersion: 'Apps/V1', kind: 'A' }] }, 'apiVersion', 'schema'],
  ['a resource twice', { resources: [targetSpec.resources[0], targetSpec.resources[0]] }, 'resources[1]', 'schema'],
  [
    'a resource in two versions, whose objects are the same',
    {
      resources: ['autoscaling/v1', 'autoscaling/v2'].map((version) => ({
        apiVersion: version,
        kind: 'HorizontalPodAutoscaler',
      })),
    },
    'resources[1]',
    'parser',
  ],
  ['a namespace twice', { ...targetSpec, namespaces: ['a', 'a'] }, 'namespaces[1]', 'schema'],
  ['a namespace with a dot', { ...targetSpec, namespaces: ['a.b'] }, 'namespaces[0]', 'schema'],
  ['all namespaces and some', { ...targetSpec, allNamespaces: true, namespaces: ['a'] }, 'namespaces', 'rule'],
  ['65 attributes', { ...targetSpec, attributes: entries(65) }, 'attributes', 'schema'],
  ['65 labels', { ...targetSpec, labelSelector: { matchLabels: entries(65) } }, 'matchLabels', 'schema'],
  ['an attribute that is a number', { ...targetSpec, attributes: { a: 5 } }, 'attributes', 'schema'],
  ['an attribute without a path', { ...targetSpec, attributes: { a: 'spec replicas[' } }, 'attributes', 'parser'],
  [
    'an operator that there is not',
    { ...targetSpec, labelSelector: { matchExpressions: [{ key: 'a', operator: 'Has' }] } },
    'operator',
    'schema',
  ],
  [
    'In without values',
    { ...targetSpec, labelSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
    'values',
    'parser',
  ],
  [
    'a label whose key is a selector',
    { ...targetSpec, labelSelector: { matchLabels: { 'a in (b),c': 'd' } } },
    'matchLabels',
    'parser',
  ],
  [
    'a label of 70 letters',
    { ...targetSpec, labelSelector: { matchLabels: { a: long(70) } } },
    'matchLabels',
    'schema',
  ],
];

const profiles: readonly Row[] = [
  ['no attributes', {}, 'attributes', 'schema'],
  ['attributes as a list', { attributes: ['.spec'] }, 'attributes', 'schema'],
];

const connectionTests: readonly Row[] = [
  ['no sink', {}, 'sinkRef', 'schema'],
  [
    'a negative time to live',
    { sinkRef: { name: 'a' }, ttlSecondsAfterFinished: -1 },
    'ttlSecondsAfterFinished',
    'schema',
  ],
  ['a sink as a text', { sinkRef: 'portal' }, 'sinkRef', 'schema'],
];

const of =
  (kind: string) =>
  ([title, spec, path, refusedBy]: Row): BadResource => ({ title, kind, spec, path, refusedBy });

/** Resources that must not be taken, each with the path that a message about it names. */
export const badResources: readonly BadResource[] = [
  ...sinks.map(of('KollectSink')),
  ...inventories.map(of('KollectInventory')),
  ...targets.map(of('KollectTarget')),
  ...profiles.map(of('KollectProfile')),
  ...connectionTests.map(of('KollectConnectionTest')),
];
