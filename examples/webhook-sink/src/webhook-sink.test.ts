import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from '@jest/globals';
import { createSinkRegistry, parseDocument, type KollectSink } from '@kollect/core';
import { makeSnapshot } from '@kollect/sink-testkit';
import { startReceiver } from './receiver.ts';
import { sign } from './signature.ts';
import { webhookSink } from './webhook-sink.ts';

interface Taken {
  readonly type: string;
  readonly body: Buffer;
}

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const signal = (): AbortSignal => AbortSignal.timeout(10_000);

interface PairOptions {
  readonly secrets?: readonly string[];
  readonly secret?: () => string;
  readonly status?: () => number;
}

/** A receiver that knows these secrets, and a sink that signs with the one that `secret` gives. */
async function pair({ secrets = ['new'], secret = () => 'new', status = () => 200 }: PairOptions = {}) {
  const taken: Taken[] = [];
  const onEvent = (type: string, body: Buffer): number => {
    taken.push({ type, body });
    return status();
  };
  const receiver = await startReceiver({ secrets: () => secrets, onEvent });
  const url = `http://127.0.0.1:${receiver.port}/`;
  const config = { type: 'webhook', webhook: { url } } as const;
  const sink: KollectSink = createSinkRegistry([webhookSink]).create(config, {
    name: 'hook',
    credentials: () => ({ secret: secret() }),
  });
  ends.push(receiver.close, () => sink.close());
  return { sink, taken, url };
}

test('a snapshot comes once, however often it is sent, and another one as well', async () => {
  const { sink, taken } = await pair();
  const snapshot = await makeSnapshot({ count: 3, exportedAt: '2026-01-01T00:00:00Z' });
  const first = await sink.export(snapshot, { signal: signal() });
  const again = await sink.export(snapshot, { signal: signal() });
  expect(again.reference).toBe(first.reference);
  expect(taken.map(({ type }) => type)).toEqual(['dev.kollect.inventory.exported']);
  const later = await makeSnapshot({ count: 3, exportedAt: '2026-01-01T00:00:01Z' });
  expect((await sink.export(later, { signal: signal() })).reference).not.toBe(first.reference);
  expect(taken.map(({ body }) => parseDocument(body).exportedAt)).toEqual([
    '2026-01-01T00:00:00.000Z',
    '2026-01-01T00:00:01.000Z',
  ]);
});

test('what the receiver could not take comes again with the same key', async () => {
  let status = 503;
  const { sink, taken } = await pair({ status: () => status });
  const snapshot = await makeSnapshot({ count: 1 });
  await expect(sink.export(snapshot, { signal: signal() })).rejects.toMatchObject({ retryable: true });
  status = 200;
  await sink.export(snapshot, { signal: signal() });
  expect(taken).toHaveLength(2);
});

test('a secret is asked for each time, and while it is rotated the receiver knows both', async () => {
  let secret = 'old';
  const { sink, taken } = await pair({ secrets: ['new', 'old'], secret: () => secret });
  await sink.export(await makeSnapshot({ count: 1, exportedAt: '2026-01-01T00:00:00Z' }), { signal: signal() });
  secret = 'new';
  await sink.export(await makeSnapshot({ count: 1, exportedAt: '2026-01-01T00:00:01Z' }), { signal: signal() });
  secret = 'wrong';
  const late = await makeSnapshot({ count: 1, exportedAt: '2026-01-01T00:00:02Z' });
  await expect(sink.export(late, { signal: signal() })).rejects.toMatchObject({ code: 'AUTHENTICATION_FAILED' });
  expect(taken).toHaveLength(2);
});

test('a removal is an event of its own', async () => {
  const { sink, taken } = await pair();
  const scope = { cluster: 'c1', inventoryNamespace: 'team', inventoryName: 'all' };
  await sink.removeInventory?.(scope, { removedAt: '2026-01-01T00:00:00.000Z', signal: signal() });
  expect(taken.map(({ type }) => type)).toEqual(['dev.kollect.inventory.removed']);
  expect(JSON.parse(taken[0]?.body.toString() ?? '')).toMatchObject({ removed: { 'ce-partitionkey': 'c1:team/all' } });
});

test.each([
  ['no key', { 'kollect-signature': sign('new', '', Buffer.from('{}')) }],
  ['no signature', { 'idempotency-key': 'k' }],
  [
    'the signature of another body',
    { 'idempotency-key': 'k', 'kollect-signature': sign('new', 'k', Buffer.from('[]')) },
  ],
  [
    'the signature of another key',
    { 'idempotency-key': 'k', 'kollect-signature': sign('new', 'l', Buffer.from('{}')) },
  ],
  [
    'a signature of an hour ago',
    { 'idempotency-key': 'k', 'kollect-signature': sign('new', 'k', Buffer.from('{}'), Date.now() / 1000 - 3_600) },
  ],
])('what comes with %s is not taken', async (_, headers) => {
  const { url, taken } = await pair();
  expect((await fetch(url, { method: 'POST', headers, body: '{}' })).status).toBe(401);
  expect(taken).toEqual([]);
});

test('the sink is as small as the guide says', () => {
  const files = ['webhook-sink.ts', 'webhook-errors.ts', 'signature.ts', 'main.ts'];
  const lines = files.map((file) => readFileSync(new URL(file, import.meta.url), 'utf8').split('\n').length - 1);
  expect(lines.reduce((sum, count) => sum + count)).toBeLessThan(200);
});

const guide = readFileSync(new URL('../../../docs/sink-authoring.md', import.meta.url), 'utf8');

test.each(['webhook-sink.ts', 'webhook-errors.ts'])('the guide shows %s as it is', (file) => {
  const [, block] = guide.split(`\`\`\`ts\n// ${file}\n`);
  expect(block?.split('\n```')[0]).toBe(readFileSync(new URL(file, import.meta.url), 'utf8').trimEnd());
});
