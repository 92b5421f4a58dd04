import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { KafkaSpec } from '@kollect/sink-kafka';
import { clients } from './exporting.ts';
import { openTestTopic, testKafka, type TestTopic } from '../support/kafka.ts';

const run = promisify(execFile);
const server = testKafka();
const binary = process.platform === 'win32' ? 'node.exe' : 'node';
/** The first is 24, unless the run was told otherwise. */
const nodes = [
  { name: `Node ${process.version}`, node: process.execPath },
  ...['node22', 'node26'].map((name) => ({
    name,
    node: join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'bin', binary),
  })),
];

let topic: TestTopic;
let hole: Server;
const swallowed = new Set<Socket>();
beforeAll(async () => {
  topic = await openTestTopic({ partitions: 2 });
  hole = createServer((socket) => {
    swallowed.add(socket.on('error', () => undefined).resume());
  });
  hole.listen(0, '127.0.0.1');
  await once(hole, 'listening');
});
afterAll(async () => {
  for (const socket of swallowed) socket.destroy();
  hole.close();
  await topic.drop();
});

interface Seen {
  readonly outcomes: readonly string[];
  readonly ok: boolean;
  /** Handles and timers that were there after `close`, and not before. */
  readonly left: readonly string[];
  readonly warnings: readonly string[];
}

/** What a process saw that did its exports with the built packages; it ended by itself, without an unhandled rejection, or this rejects. */
async function seenBy(node: string, client: string, spec: Partial<KafkaSpec>, deadlineMs = 10_000): Promise<Seen> {
  const kafka = { topic: topic.name, maxMessageBytes: 8_192, requestTimeout: '5s', connectTimeout: '5s', ...spec };
  const fixture = fileURLToPath(new URL('short-lived.fixture.ts', import.meta.url));
  const flags = ['--trace-warnings', '--disable-warning=ExperimentalWarning'];
  const { stdout, stderr } = await run(node, [...flags, fixture, client, JSON.stringify(kafka), String(deadlineMs)], {
    timeout: 60_000,
  });
  expect(stderr).toBe('');
  const seen: Seen = JSON.parse(stdout);
  return seen;
}

describe.each(nodes)('a short-lived process on $name', ({ node }) => {
  describe.each(clients)('through $client', ({ client, compression }) => {
    const clean = { left: [], warnings: [] };

    test('exports, closes and ends', async () => {
      const seen = await seenBy(node, client, { brokers: server.listeners.plaintext, compression });
      expect(seen).toEqual({ ...clean, outcomes: ['applied', 'applied', 'applied'], ok: true });
    }, 60_000);

    test('ends where a broker never answers', async () => {
      const { port } = hole.address() as AddressInfo;
      const seen = await seenBy(node, client, { brokers: [`127.0.0.1:${port}`] }, 400);
      expect(seen).toEqual({ ...clean, outcomes: ['TIMEOUT', 'TIMEOUT', 'TIMEOUT'], ok: false });
    }, 60_000);

    test('ends where the certificate of the broker is refused', async () => {
      const seen = await seenBy(node, client, { brokers: server.listeners.tls, tls: {} });
      expect(seen).toEqual({ ...clean, outcomes: ['TLS_FAILED', 'TLS_FAILED', 'TLS_FAILED'], ok: false });
    }, 60_000);
  });
});

test.each(clients)(
  'through $client, parts of 20 MB are made one by one and let go',
  async ({ client }) => {
    const fixture = fileURLToPath(new URL('large-export.fixture.ts', import.meta.url));
    const kafka = { brokers: server.listeners.plaintext, topic: topic.name };
    const { stdout } = await run(process.execPath, ['--expose-gc', fixture, client, JSON.stringify(kafka)], {
      timeout: 90_000,
    });
    const { messages, bytes, beyond }: { messages: number; bytes: number; beyond: number } = JSON.parse(stdout);
    expect(messages).toBeGreaterThan(20);
    expect(bytes).toBeGreaterThan(19_000_000);
    // Held together, the parts alone would be all of their bytes; one of them, and what a client makes of it, is less than half.
    expect(beyond).toBeLessThan(bytes * 0.75);
  },
  120_000,
);
