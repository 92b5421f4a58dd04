import { randomBytes } from 'node:crypto';
import { jetstream, jetstreamManager, type JetStreamManager, type StreamConfig } from '@nats-io/jetstream';
import { connect, type ConnectionOptions, type NatsConnection as Client } from '@nats-io/transport-node';
import { createSinkRegistry, type Egress, type KollectSink, type SinkConnection } from '@kollect/core';
import { natsSink, readSnapshots, type InventoryEvent, type NatsSpec } from '@kollect/sink-nats';
import type { NatsConnection } from '../servers/nats.ts';

/** The NATS of this test run, which global-setup started. */
export function testNats(): NatsConnection {
  const described = process.env['KOLLECT_TEST_NATS'];
  if (!described)
    throw new Error(
      'KOLLECT_TEST_NATS is not set: run integration tests through jest, whose global-setup starts a server.',
    );
  const connection: NatsConnection = JSON.parse(described);
  return connection;
}

export function addressesOf({ host, ports }: NatsConnection): string[] {
  return ports.map((port) => `${host}:${port}`);
}

export interface StoredMessage {
  readonly sequence: number;
  readonly subject: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A stream of one test, seen through the client of the NATS authors, which shares nothing with the sink's own. */
export interface TestStream {
  readonly name: string;
  readonly prefix: string;
  readonly client: Client;
  readonly manager: JetStreamManager;
  /** Everything that the stream holds, in its order. */
  messages(subject?: string): Promise<StoredMessage[]>;
  /** What the consumer's half makes of a consumer of the stream. */
  events(): Promise<InventoryEvent[]>;
  update(config: Partial<StreamConfig>): Promise<void>;
  close(): Promise<void>;
}

export interface TestStreamOptions {
  readonly server?: NatsConnection;
  readonly config?: Partial<StreamConfig>;
  readonly client?: ConnectionOptions;
  /** Another look at this one, by a client that has met no fault. Default: a stream is made. */
  readonly of?: Pick<TestStream, 'name' | 'prefix'>;
}

export async function openTestStream({
  server = testNats(),
  config = {},
  client: options,
  of,
}: TestStreamOptions = {}): Promise<TestStream> {
  const id = randomBytes(5).toString('hex');
  const { name, prefix } = of ?? { name: `test-${id}`, prefix: `inventory.${id}` };
  const client = await connect({
    servers: addressesOf(server),
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    ...options,
  });
  const prepare = async (): Promise<JetStreamManager> => {
    const made = await jetstreamManager(client, { timeout: 10_000 });
    const asWritten = { name, subjects: [`${prefix}.>`], allow_atomic: true, allow_rollup_hdrs: true };
    if (of === undefined) await made.streams.add({ ...asWritten, ...config });
    return made;
  };
  const manager = await prepare().catch(async (error: unknown) => {
    await client.close();
    throw error;
  });
  const count = async (): Promise<number> => (await manager.streams.info(name)).state.messages;
  const consumer = async (filter?: string) =>
    jetstream(client).consumers.get(name, filter === undefined ? {} : { filter_subjects: filter });
  return {
    name,
    prefix,
    client,
    manager,
    messages: async (subject) => {
      const found: StoredMessage[] = [];
      const { state } = await manager.streams.info(name, { subjects_filter: subject ?? '>' });
      if (Object.keys(state.subjects ?? {}).length === 0) return found;
      const ordered = await consumer(subject);
      for (;;) {
        const message = await ordered.next({ expires: 1_000 });
        if (message === null) break;
        const headers = Object.fromEntries(
          (message.headers?.keys() ?? []).map((key) => [key, message.headers?.get(key) ?? '']),
        );
        found.push({ sequence: message.seq, subject: message.subject, headers, body: Buffer.from(message.data) });
        if (message.info.pending === 0) break;
      }
      return found;
    },
    events: async () => {
      const messages = await (await consumer()).fetch({ max_messages: (await count()) || 1, expires: 1_000 });
      const events: InventoryEvent[] = [];
      for await (const event of readSnapshots(messages)) events.push(event);
      return events;
    },
    update: async (changes) => {
      await manager.streams.update(name, changes);
    },
    close: async () => {
      if (!client.isClosed() && of === undefined) await manager.streams.delete(name).catch(() => false);
      await client.close();
    },
  };
}

export interface NatsSinkOptions extends SinkConnection {
  readonly stream: Pick<TestStream, 'name' | 'prefix'>;
  readonly server?: NatsConnection;
  readonly spec?: Partial<NatsSpec>;
  readonly egress?: Egress;
}

/** A sink on a stream of the NATS of this test run; waits are short. */
export function natsSinkOver({
  stream,
  server = testNats(),
  spec,
  egress,
  ...connection
}: NatsSinkOptions): KollectSink {
  const registry = createSinkRegistry([natsSink], egress === undefined ? {} : { egress });
  const block = {
    servers: addressesOf(server),
    stream: stream.name,
    subjectPrefix: stream.prefix,
    requestTimeout: '5s',
    connectTimeout: '5s',
    deliveryTimeout: '20s',
    ...spec,
  };
  return registry.create({ type: 'nats', nats: block }, { name: 'test', ...connection });
}
