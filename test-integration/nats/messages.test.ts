import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { joinParts, parseDocument, type InventoryEvent, type Item, type KollectSink } from '@kollect/core';
import type { NatsSpec } from '@kollect/sink-nats';
import { HTTP } from 'cloudevents';
import { derivedUid } from '../../examples/sample-cluster/src/collect.ts';
import { collect, loadManifests, withoutSecrets } from '../../examples/sample-cluster/src/index.ts';
import { natsSinkOver, openTestStream, type StoredMessage, type TestStream } from '../support/nats.ts';
import { bodyOf } from './bodies.ts';
import { limit, snapshotAt, timeAt } from './snapshots.ts';

let stream: TestStream;
let sinks: KollectSink[] = [];
beforeEach(async () => {
  stream = await openTestStream();
});
afterEach(async () => {
  await Promise.all(sinks.map((sink) => sink.close()));
  sinks = [];
  await stream.close();
});

const open = (spec: Partial<NatsSpec> = {}): KollectSink => {
  const sink = natsSinkOver({ stream, spec });
  sinks.push(sink);
  return sink;
};
const scope = { cluster: 'prod', inventoryNamespace: 'team-a', inventoryName: 'web' };
const documentOf = (messages: readonly StoredMessage[]) =>
  joinParts(messages.map((message) => parseDocument(bodyOf(message))));
const kindsOf = (events: readonly InventoryEvent[]): string[] =>
  events.map((event) => (event.type === 'skipped' ? event.reason : event.type));

test('a snapshot as another client reads it', async () => {
  const snapshot = await snapshotAt(0, {}, { inventoryName: 'web.v1', generation: 7 });
  const result = await open({ headers: { 'x-team': 'Größe' } }).export(snapshot, limit());
  const [message, ...others] = await stream.messages();
  expect(others).toEqual([]);
  expect(result).toMatchObject({ outcome: 'applied', messages: 1, reference: `${stream.name}/1` });
  expect(message?.subject).toBe(`${stream.prefix}.prod.team-a.web%2Ev1`);
  expect(message?.headers).toMatchObject({
    'kollect.dev/cluster': 'prod',
    'kollect.dev/namespace': 'team-a',
    'kollect.dev/inventory': 'web.v1',
    'kollect.dev/generation': '7',
    'kollect.dev/checksum': snapshot.checksum,
    'kollect.dev/exported-at': snapshot.exportedAt,
    'kollect.dev/schema-version': 'kollect.dev/v1alpha1',
    'content-type': 'application/json',
    'x-team': 'Größe',
  });
  const document = documentOf(message === undefined ? [] : [message]);
  expect(document).toMatchObject({ checksum: snapshot.checksum, generation: 7, itemCount: 3 });
  expect(JSON.stringify(document.items)).toBe(JSON.stringify(snapshot.items));
  expect(result.bytes).toBe(message?.body.length);
});

test('a whole cluster of samples arrives as it was collected', async () => {
  const objects = withoutSecrets((await loadManifests()).objects);
  const sample = await collect(objects, { generation: 7, exportedAt: new Date(timeAt(1)) });
  await open({ maxMessageBytes: 40_000 }).export(sample, limit());
  const messages = await stream.messages();
  expect(messages.length).toBeGreaterThan(1);
  const parts = messages.map(({ body }) => JSON.parse(String(body)) as { readonly items: readonly Item[] });
  const items = parts.flatMap((part) => part.items);
  // With nothing of ours: the same bytes hash to the same checksum.
  const bodies = messages.map(({ body }) => /"items":\[(.*)\],"partIndex"/su.exec(String(body))?.[1] ?? '');
  const checksum = createHash('sha256')
    .update(`[${bodies.join(',')}]`)
    .digest('hex');
  expect(messages.map(({ headers }) => headers['kollect.dev/checksum'])).toEqual(messages.map(() => checksum));
  const named = ({ kind, name, uid }: Pick<Item, 'kind' | 'name' | 'uid'>): string => [uid, kind, name].join(' ');
  const expected = objects.map((object) => {
    const { name, uid = derivedUid(object) } = object.metadata;
    return named({ kind: object.kind, name, uid });
  });
  expect(items.map(named).toSorted()).toEqual(expected.toSorted());
});

test('cloud events, as the library of CloudEvents reads them', async () => {
  await open({ format: 'cloudevents' }).export(await snapshotAt(0), limit());
  const [message] = await stream.messages();
  const headers = { ...message?.headers };
  const event = HTTP.toEvent({ headers, body: String(message?.body) });
  expect(event).toMatchObject({
    type: 'dev.kollect.inventory.exported',
    source: '/clusters/prod/inventories/team-a/web',
    subject: 'team-a/web',
    datacontenttype: 'application/json',
    partitionkey: 'prod:team-a/web',
  });
});

test.each(['gzip', 'zstd'] as const)('%s', async (compression) => {
  const snapshot = await snapshotAt(0, { count: 300 });
  const { bytes } = await open({ compression }).export(snapshot, limit());
  const messages = await stream.messages();
  expect(messages.map(({ headers }) => headers['content-encoding'])).toEqual([compression]);
  expect(messages[0]?.body.length).toBeLessThan(bytes / 2);
  expect(documentOf(messages).checksum).toBe(snapshot.checksum);
  expect(kindsOf(await stream.events())).toEqual(['snapshot']);
});

describe.each([
  ['an atomic batch', true],
  ['one after the other', false],
])('parts as %s', (_, atomic) => {
  beforeEach(() => stream.update({ allow_atomic: atomic }));

  test('are contiguous, small enough, and joined by the reader', async () => {
    const snapshot = await snapshotAt(0, { count: 500 });
    const { messages: sent } = await open({ maxMessageBytes: 20_000 }).export(snapshot, limit());
    const messages = await stream.messages();
    expect(sent).toBeGreaterThan(5);
    expect(messages.map(({ sequence }) => sequence)).toEqual(messages.map((__, index) => index + 1));
    expect(messages.map(({ headers }) => headers['kollect.dev/part-index'])).toEqual(
      messages.map((__, index) => String(index)),
    );
    expect(Math.max(...messages.map(({ body }) => body.length))).toBeLessThan(20_000);
    expect(messages.every(({ headers }) => (headers['Nats-Batch-Id'] === undefined) !== atomic)).toBe(true);
    expect(documentOf(messages).checksum).toBe(snapshot.checksum);
    const events = await stream.events();
    expect(kindsOf(events)).toEqual(['snapshot']);
  });

  test('of 20 MB', async () => {
    const snapshot = await snapshotAt(0, { count: 2_000, bytes: 10_000 });
    const { bytes, messages } = await open().export(snapshot, limit());
    expect(bytes).toBeGreaterThan(20_000_000);
    expect(messages).toBeGreaterThan(19);
    expect(documentOf(await stream.messages()).checksum).toBe(snapshot.checksum);
  });
});

test('a newer export of another process wins in the middle of parts: none of ours is there, and ours is superseded', async () => {
  const newer = await snapshotAt(9, { seed: 2 });
  const other = open();
  const slow = await snapshotAt(5, { count: 5_000, bytes: 2_000 });
  const [first, second] = await Promise.all([open().export(slow, limit()), other.export(newer, limit())]);
  expect(second.outcome).toBe('applied');
  const messages = await stream.messages();
  expect(messages.at(-1)?.headers['kollect.dev/exported-at']).toBe(newer.exportedAt);
  expect(messages.length).toBe(1 + first.messages);
});

test('what did not change is not published again, also by a new process', async () => {
  await open().export(await snapshotAt(0), limit());
  const again = await open().export(await snapshotAt(60), limit());
  expect(again).toMatchObject({ outcome: 'unchanged', messages: 0, bytes: 0, counts: { unchanged: 3 } });
  expect(await open().plan?.(await snapshotAt(61), limit())).toMatchObject({ outcome: 'unchanged' });
  const older = await open().export(await snapshotAt(-5, { seed: 2 }), limit());
  expect(older).toMatchObject({ outcome: 'superseded', messages: 0 });
  expect((await open().plan?.(await snapshotAt(-5, { seed: 2 }), limit()))?.outcome).toBe('superseded');
  expect(await stream.messages()).toHaveLength(1);
  expect((await open().export(await snapshotAt(62, {}, { generation: 2 }), limit())).outcome).toBe('applied');
});

test('what was purged is published again, though JetStream remembers its id', async () => {
  const snapshot = await snapshotAt(0);
  await open().export(snapshot, limit());
  await stream.manager.streams.purge(stream.name);
  expect((await open().export(snapshot, limit())).outcome).toBe('applied');
  expect(await stream.messages()).toHaveLength(1);
});

test('a removal is an empty message, fenced as a snapshot is', async () => {
  const sink = open();
  await sink.export(await snapshotAt(5), limit());
  expect((await sink.removeInventory?.(scope, { removedAt: timeAt(1), ...limit() }))?.outcome).toBe('superseded');
  const { outcome } = (await open().removeInventory?.(scope, { removedAt: timeAt(9), ...limit() })) ?? {};
  expect(outcome).toBe('applied');
  const [, removal] = await stream.messages();
  expect([removal?.body.length, removal?.headers['kollect.dev/removed-at']]).toEqual([0, timeAt(9)]);
  expect((await open().export(await snapshotAt(7, { seed: 2 }), limit())).outcome).toBe('superseded');
  expect(kindsOf(await stream.events())).toEqual(['snapshot', 'removed']);
});

describe('retain: latest', () => {
  test('the stream holds one complete snapshot, and partial ones beside it', async () => {
    const sink = open({ retain: 'latest', maxMessageBytes: 20_000 });
    for (const [at, count] of [300, 3, 500].entries())
      await sink.export(await snapshotAt(at, { count, seed: at }), limit());
    const parts = await stream.messages();
    expect(parts.map(({ headers }) => headers['kollect.dev/exported-at'])).toEqual(parts.map(() => timeAt(2)));
    expect(documentOf(parts).itemCount).toBe(500);
    const partial = await snapshotAt(3, { count: 2 }, { incompleteTargets: ['network'] });
    await sink.export(partial, limit());
    expect((await sink.export(partial, limit())).outcome).toBe('unchanged');
    const both = await stream.messages();
    expect(both).toHaveLength(parts.length + 1);
    expect(both.at(-1)?.headers['kollect.dev/complete']).toBe('false');
    expect((await stream.events()).map((event) => event.type === 'snapshot' && event.complete)).toEqual([true, false]);
    await sink.export(await snapshotAt(4, { count: 2 }), limit());
    expect(await stream.messages()).toHaveLength(1);
    await sink.removeInventory?.(scope, { removedAt: timeAt(5), ...limit() });
    expect((await stream.messages()).map(({ body }) => body.length)).toEqual([0]);
  });

  test('parts without atomic batches are refused before anything is sent, and what is there stays', async () => {
    const sink = open({ retain: 'latest', maxMessageBytes: 20_000 });
    await stream.update({ allow_atomic: false });
    await sink.export(await snapshotAt(0), limit());
    await expect(sink.export(await snapshotAt(1, { count: 500 }), limit())).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      message: expect.stringContaining('allow_atomic'),
    });
    expect(await stream.messages()).toHaveLength(1);
  });
});

test('more parts than the stream keeps of a subject are refused', async () => {
  await stream.update({ max_msgs_per_subject: 2 });
  await expect(
    open({ maxMessageBytes: 20_000 }).export(await snapshotAt(0, { count: 500 }), limit()),
  ).rejects.toMatchObject({
    code: 'PAYLOAD_TOO_LARGE',
    message: expect.stringContaining('max_msgs_per_subject'),
  });
});

test('500 inventories at once', async () => {
  const sink = open();
  const snapshots = await Promise.all(
    Array.from({ length: 500 }, (_, index) => snapshotAt(0, { seed: index }, { inventoryName: `web-${index}` })),
  );
  const results = await Promise.all(snapshots.map((snapshot) => sink.export(snapshot, limit())));
  expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(['applied']));
  expect(new Set((await stream.messages()).map(({ subject }) => subject)).size).toBe(500);
  expect(kindsOf(await stream.events())).toEqual(Array.from({ length: 500 }, () => 'snapshot'));
});

test('messages are acknowledged once their event was handled, parts with the last of them', async () => {
  await open({ maxMessageBytes: 20_000 }).export(await snapshotAt(0, { count: 500 }), limit());
  await open().export(await snapshotAt(1, { seed: 3 }), limit());
  const { readSnapshots } = await import('@kollect/sink-nats');
  const { jetstream } = await import('@nats-io/jetstream');
  await stream.manager.consumers.add(stream.name, { durable_name: 'portal', ack_policy: 'explicit' });
  const consumer = await jetstream(stream.client).consumers.get(stream.name, 'portal');
  const pending = async (): Promise<number> => {
    await stream.client.flush();
    return (await consumer.info()).num_ack_pending;
  };
  const total = (await stream.messages()).length;
  const seen: number[] = [];
  for await (const event of readSnapshots(await consumer.fetch({ max_messages: total, expires: 2_000 }))) {
    expect(event.type).toBe('snapshot');
    seen.push(await pending());
  }
  expect(seen).toEqual([total, 1]);
  expect(await pending()).toBe(0);
});
