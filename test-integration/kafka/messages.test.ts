import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { itemFromObject, sealSnapshot, type InventorySnapshot, type Item, type Scope } from '@kollect/core';
import { parseMessageKey } from '@kollect/sink-kafka';
import { Kafka, type CloudEvent, type KafkaMessage } from 'cloudevents';
import { collect, loadManifests, withoutSecrets } from '../../examples/sample-cluster/src/index.ts';
import { derivedUid } from '../../examples/sample-cluster/src/collect.ts';
import { readTopic } from '../servers/kafka-reader.ts';
import type { ReadRecord } from '../servers/kafka-records.ts';
import { eachClient, item, limit, snapshot, timeAt } from './sink.ts';
import { testKafka } from '../support/kafka.ts';
import { useTopics } from './topics.ts';

const partitions = 12;
const staticHeaders = { team: 'Größe 🦊', 'x-empty': '' };

/** JSON with sorted keys, which of these documents is RFC 8785: written here, so that the sink's own writer cannot hide its error. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(',')}}`;
}

function checksumOf(items: readonly unknown[]): string {
  return createHash('sha256').update(canonical(items)).digest('hex');
}

function textHeaders({ headers }: ReadRecord): Record<string, string> {
  expect(new Set(headers.map(([name]) => name)).size).toBe(headers.length);
  return Object.fromEntries(headers.map(([name, value]) => [name, String(value)]));
}

/** Objects as an API server returns them; `status` and `metadata.labels` are not extracted. */
const storefronts = [
  {
    apiVersion: 'shop.example.com/v1',
    kind: 'Storefront',
    metadata: { name: 'japan', namespace: 'shop', uid: '5f1c0f2e-0002', labels: { locale: 'ja-JP' } },
    spec: { locale: 'ja-JP', motto: 'いい買い物、いい一日 🌸', warehouses: [{ name: 'osaka' }], replicas: 3 },
    status: { ready: true },
  },
  {
    apiVersion: 'shop.example.com/v1',
    kind: 'Storefront',
    metadata: { name: 'germany', namespace: 'shop', uid: '5f1c0f2e-0001' },
    spec: {
      locale: 'de-DE',
      motto: 'Schöner "einkaufen",\n größer träumen',
      warehouses: [{ name: 'hamburg' }, { name: 'straßburg' }],
      replicas: 0,
    },
  },
];

const storefrontItem = (object: (typeof storefronts)[number]): Item =>
  itemFromObject(object, {
    target: { namespace: 'kollect', name: 'storefronts' },
    attributes: {
      locale: '.spec.locale',
      motto: '.spec.motto',
      warehouses: '.spec.warehouses[*].name',
      replicas: '.spec.replicas',
    },
  });

/** In the order of the document, germany before japan. */
const storefrontJson = [
  {
    attributes: {
      locale: 'de-DE',
      motto: 'Schöner "einkaufen",\n größer träumen',
      replicas: 0,
      warehouses: ['hamburg', 'straßburg'],
    },
    name: 'germany',
    uid: '5f1c0f2e-0001',
  },
  {
    attributes: { locale: 'ja-JP', motto: 'いい買い物、いい一日 🌸', replicas: 3, warehouses: ['osaka'] },
    name: 'japan',
    uid: '5f1c0f2e-0002',
  },
].map((part) => ({
  ...part,
  group: 'shop.example.com',
  kind: 'Storefront',
  namespace: 'shop',
  targetName: 'storefronts',
  targetNamespace: 'kollect',
  version: 'v1',
}));

/** Scopes that Java's producer has keys for, with the partition that it takes of twelve. */
const vectors = JSON.parse(
  readFileSync(
    new URL('../../packages/sink-kafka/src/publishing/partitioner-vectors.fixture.json', import.meta.url),
    'utf8',
  ),
) as {
  readonly partitions: readonly number[];
  readonly keys: readonly (readonly [string, readonly number[]])[];
};
const javaPlaces = vectors.keys.flatMap(([key, places]) =>
  /[^/]\/[^/]/u.test(key) ? [[key, places[vectors.partitions.indexOf(partitions)]] as const] : [],
);

describe.each(eachClient)('%s', (_, client) => {
  const topics = useTopics(client);
  /** By inventory name, in the order of their offsets. */
  let byName: (name: string) => ReadRecord[];
  let sample: InventorySnapshot;

  beforeAll(async () => {
    const topic = await topics.make({ partitions });
    const documents = topics.open({ topic, spec: { headers: staticHeaders } });
    const events = topics.open({ topic, spec: { format: 'cloudevents', headers: staticHeaders } });
    const { objects } = await loadManifests();
    sample = await collect(withoutSecrets(objects), { generation: 7, exportedAt: new Date(timeAt(1)) });
    const shop = {
      cluster: 'prod',
      inventoryNamespace: 'shop',
      generation: 3,
      exportedAt: timeAt(2),
      items: storefronts.map(storefrontItem),
    };
    const kinds = [item('web'), item('web', {}, { kind: 'Service', group: '', uid: 'uid-service' })];
    const core = { version: 'v1', kind: 'Pod', uid: 'uid-pod' };
    for (const [sink, input] of [
      [documents, sample],
      [documents, await sealSnapshot({ ...shop, inventoryName: 'storefronts' })],
      [events, await sealSnapshot({ ...shop, inventoryName: 'events' })],
      [documents, await snapshot(3, kinds, { inventoryName: 'two-kinds' })],
      [
        documents,
        await snapshot(
          3,
          [item('pod', {}, core)].map(({ group: _group, ...rest }) => rest),
          { inventoryName: 'core-group' },
        ),
      ],
      [documents, await snapshot(3, [], { inventoryName: 'empty' })],
      [documents, await snapshot(3, [item('web')], { inventoryName: 'without-cluster', cluster: '' })],
      [
        documents,
        await snapshot(3, [item('web')], {
          inventoryName: 'größe-プロッド',
          cluster: 'arn:aws:eks:eu-1:1/c 🚀',
          inventoryNamespace: 'team-ü',
        }),
      ],
      [documents, await snapshot(4, [item('web')], { inventoryName: 'removed' })],
    ] as const) {
      await expect(sink.export(input, limit())).resolves.toMatchObject({
        outcome: 'applied',
        messages: 1,
        counts: { inserted: input.items.length },
      });
    }
    const scope = { cluster: 'prod', inventoryNamespace: 'team-a', inventoryName: 'removed' };
    await documents.removeInventory?.(scope, { ...limit(), removedAt: timeAt(5) });
    await events.removeInventory?.(scope, { ...limit(), removedAt: timeAt(6) });
    const records = await readTopic(testKafka(), topic);
    expect(records).toHaveLength(11);
    byName = (name) =>
      records.filter(({ headers }) =>
        headers.some(([header, value]) => header === 'kollect.dev/inventory' && String(value) === name),
      );
  }, 90_000);

  const only = (name: string): ReadRecord => {
    const [record, ...more] = byName(name);
    if (record === undefined || more.length > 0)
      throw new Error(`There are ${byName(name).length} messages of ${name}; expected one.`);
    return record;
  };

  test('custom resources: key, every header, timestamp and body, byte by byte', () => {
    const record = only('storefronts');
    const checksum = checksumOf(storefrontJson);
    expect(String(record.key)).toBe('prod:shop/storefronts');
    expect(record.timestamp).toBe(Date.parse(timeAt(2)));
    expect(textHeaders(record)).toEqual({
      'kollect.dev/cluster': 'prod',
      'kollect.dev/namespace': 'shop',
      'kollect.dev/inventory': 'storefronts',
      'kollect.dev/gvk': 'shop.example.com/v1/Storefront',
      'kollect.dev/generation': '3',
      'kollect.dev/checksum': checksum,
      'kollect.dev/schema-version': 'kollect.dev/v1alpha1',
      'kollect.dev/exported-at': timeAt(2),
      'content-type': 'application/json',
      ...staticHeaders,
    });
    // The static ones come last, as they are written.
    expect(record.headers.slice(-2).map(([name, value]) => [name, String(value)])).toEqual(
      Object.entries(staticHeaders),
    );
    const document = {
      schemaVersion: 'kollect.dev/v1alpha1',
      cluster: 'prod',
      inventoryNamespace: 'shop',
      inventoryName: 'storefronts',
      generation: 3,
      checksum,
      itemCount: 2,
      exportedAt: timeAt(2),
      items: storefrontJson,
    };
    expect(String(record.value)).toBe(canonical(document));
    expect(record.value).toEqual(Buffer.from(canonical(document)));
  });

  test('a whole cluster of samples arrives as it was collected', async () => {
    const { objects } = await loadManifests();
    const record = only('everything');
    const document = JSON.parse(String(record.value)) as {
      readonly checksum: string;
      readonly itemCount: number;
      readonly items: readonly Item[];
    };
    expect(String(record.value)).toBe(canonical(document));
    expect(document.checksum).toBe(checksumOf(document.items));
    expect(document).toMatchObject({ checksum: sample.checksum, itemCount: document.items.length, generation: 7 });
    const collected = withoutSecrets(objects).map((object) =>
      [object.metadata.uid ?? derivedUid(object), object.kind, object.metadata.name].join(' '),
    );
    expect(new Set(document.items.map(({ uid, kind, name }) => [uid, kind, name].join(' ')))).toEqual(
      new Set(collected),
    );
    expect(Object.keys(textHeaders(record))).not.toContain('kollect.dev/gvk');
    const motto = document.items.find(({ name, kind }) => name === 'japan' && kind === 'Storefront')?.attributes[
      'motto'
    ];
    expect(motto).toBe('いい買い物、いい一日 🌸');
  });

  test('what there is none of has no header', () => {
    expect(Object.keys(textHeaders(only('two-kinds')))).not.toContain('kollect.dev/gvk');
    expect(Object.keys(textHeaders(only('empty')))).not.toContain('kollect.dev/gvk');
    expect(textHeaders(only('core-group'))['kollect.dev/gvk']).toBe('v1/Pod');
    const withoutCluster = only('without-cluster');
    expect(String(withoutCluster.key)).toBe('team-a/without-cluster');
    expect(Object.keys(textHeaders(withoutCluster))).not.toContain('kollect.dev/cluster');
    expect(JSON.parse(String(withoutCluster.value))).not.toHaveProperty('cluster');
  });

  test('keys and headers are UTF-8', () => {
    const scope: Scope = {
      cluster: 'arn:aws:eks:eu-1:1/c 🚀',
      inventoryNamespace: 'team-ü',
      inventoryName: 'größe-プロッド',
    };
    const record = only('größe-プロッド');
    expect(record.key).toEqual(Buffer.from('arn:aws:eks:eu-1:1/c 🚀:team-ü/größe-プロッド'));
    expect(parseMessageKey(String(record.key))).toEqual(scope);
    expect(textHeaders(record)).toMatchObject({
      'kollect.dev/cluster': scope.cluster,
      'kollect.dev/namespace': scope.inventoryNamespace,
    });
  });

  test('a removal is a tombstone with headers behind the last snapshot', () => {
    const [exported, removed, event] = byName('removed');
    if (exported === undefined || removed === undefined || event === undefined)
      throw new Error('A message is missing.');
    expect([removed.value, event.value]).toEqual([null, null]);
    expect([exported, removed, event].map(({ key, partition }) => [String(key), partition])).toEqual(
      [1, 2, 3].map(() => ['prod:team-a/removed', exported.partition]),
    );
    const headers = {
      'kollect.dev/cluster': 'prod',
      'kollect.dev/namespace': 'team-a',
      'kollect.dev/inventory': 'removed',
      'kollect.dev/schema-version': 'kollect.dev/v1alpha1',
      'kollect.dev/removed-at': timeAt(5),
      ...staticHeaders,
    };
    expect(textHeaders(removed)).toEqual(headers);
    expect(removed.timestamp).toBe(Date.parse(timeAt(5)));
    expect(textHeaders(event)).toMatchObject({
      ...headers,
      'kollect.dev/removed-at': timeAt(6),
      ce_type: 'dev.kollect.inventory.removed',
    });
  });

  test('cloudevents: the SDK takes the message for a valid event with our document in it', () => {
    const { key, value, ...record } = only('events');
    const headers = textHeaders({ key, value, ...record });
    if (value === null) throw new Error('The message has no value.');
    const message: KafkaMessage<Buffer> = { key: String(key), value, body: value, headers };
    const event = Kafka.toEvent(message) as CloudEvent<object>;
    expect(event.validate()).toBe(true);
    expect(event).toMatchObject({
      specversion: '1.0',
      type: 'dev.kollect.inventory.exported',
      source: '/clusters/prod/inventories/shop/events',
      subject: 'shop/events',
      time: timeAt(2),
      datacontenttype: 'application/json',
      partitionkey: 'prod:shop/events',
    });
    expect(event.data).toMatchObject({ inventoryName: 'events', items: storefrontJson });
    expect(headers).toMatchObject({
      'kollect.dev/checksum': checksumOf(storefrontJson),
      'content-type': 'application/json',
      ...staticHeaders,
    });
  });

  test("every key is where Java's producer puts it", async () => {
    expect(javaPlaces.length).toBeGreaterThan(80);
    const topic = await topics.make({ partitions });
    const sink = topics.open({ topic });
    const scopes = javaPlaces.map(([key]) => parseMessageKey(key));
    await Promise.all(
      scopes.map(async (scope) => sink.export(await snapshot(1, [item('web')], { cluster: '', ...scope }), limit())),
    );
    const records = await readTopic(testKafka(), topic);
    const places = records.map(({ key, partition }) => [String(key), partition] as const);
    expect(new Map(places)).toEqual(new Map(javaPlaces));
    expect(records).toHaveLength(javaPlaces.length);
    expect(new Set(places.map(([, partition]) => partition)).size).toBe(partitions);
  }, 60_000);
});
