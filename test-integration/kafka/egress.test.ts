import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createEgressPolicy, SinkError, type Egress, type KollectSink } from '@kollect/core';
import { eachClient, item, limit, snapshot } from './sink.ts';
import { testKafka } from '../support/kafka.ts';
import { useTopics } from './topics.ts';

/** Leads to the broker from a loopback address that it does not know of itself. */
interface Relay {
  /** `host:port`. */
  readonly address: string;
  readonly host: string;
  /** Connections so far. */
  readonly connections: number;
  close(): Promise<void>;
}

async function startRelay(target: string): Promise<Relay> {
  const separator = target.lastIndexOf(':');
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((inbound) => {
    connections += 1;
    const outbound = connect(Number(target.slice(separator + 1)), target.slice(0, separator));
    for (const [socket, other] of [[inbound, outbound] as const, [outbound, inbound] as const]) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => other.destroy());
      socket.pipe(other);
    }
  });
  const host = await listenApart(server);
  return {
    host,
    address: `${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Linux has all of 127.0.0.0/8; others have the IPv6 loopback besides 127.0.0.1. */
async function listenApart(server: Server): Promise<string> {
  for (const host of ['127.0.0.2', '::1']) {
    const listening = once(server.listen(0, host), 'listening').then(
      () => true,
      () => false,
    );
    if (await listening) return host;
  }
  throw new Error('This machine has no second loopback address: give it 127.0.0.2 or ::1.');
}

describe.each(eachClient)('%s', (_, client) => {
  const topics = useTopics(client);
  let topic: string;
  let relay: Relay;
  beforeAll(async () => {
    topic = await topics.make();
    relay = await startRelay(testKafka().bootstrap);
  });
  afterAll(() => relay.close());

  const open = (egress: Egress, brokers: readonly string[]): KollectSink =>
    topics.open({ topic, egress, spec: { brokers: [...brokers] } });
  const exportTo = async (sink: KollectSink) => sink.export(await snapshot(0, [item('web')]), limit());
  async function denialOf(sink: KollectSink): Promise<SinkError> {
    const error = await exportTo(sink).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!SinkError.isInstance(error)) throw new Error(`Expected a SinkError, got ${String(error)}.`);
    expect([error.code, error.reason, error.retryable, error.operation]).toEqual([
      'EGRESS_DENIED',
      'forbidden',
      false,
      'export',
    ]);
    return error;
  }
  const expectUnwritten = async (): Promise<void> =>
    expect([...(await testKafka().endOffsets(topic)).values()]).toEqual([0]);

  test('an address that the policy denies is not dialled', async () => {
    const before = relay.connections;
    const sink = open(createEgressPolicy({ deny: [relay.host] }), [relay.address]);
    expect((await denialOf(sink)).message).toContain(`forbids "${relay.host}"`);
    const { ok, steps } = await sink.testConnection(limit());
    expect(ok).toBe(false);
    expect(steps.filter(({ status }) => status === 'failed')).toMatchObject([
      { name: 'resolve', code: 'EGRESS_DENIED', remedy: expect.stringContaining('egress policy') },
    ]);
    expect(relay.connections).toBe(before);
    await expectUnwritten();
  });

  test('nor is a name that resolves to one', async () => {
    const lookup = createEgressPolicy({
      deny: ['127.0.0.0/8'],
      lookup: (_name, _options, answer) => answer(null, [{ address: '127.0.0.1', family: 4 }]),
    });
    const port = testKafka().bootstrap.split(':').at(-1);
    const sink = open(lookup, [`kafka.example:${port}`]);
    expect((await denialOf(sink)).message).toContain(
      '"127.0.0.1" (denied by the host), which "kafka.example" resolves to',
    );
    await expectUnwritten();
  });

  test('nor is a broker that the metadata of an allowed one names', async () => {
    const before = relay.connections;
    const sink = open(createEgressPolicy({ allowOnly: [relay.host] }), [relay.address]);
    expect((await denialOf(sink)).message).toContain('forbids "127.0.0.1"');
    // It was asked, and it answered.
    expect(relay.connections).toBeGreaterThan(before);
    await expectUnwritten();
    const { ok, steps } = await sink.testConnection(limit());
    expect(ok).toBe(false);
    expect(steps.find(({ status }) => status === 'failed')).toMatchObject({
      name: 'metadata',
      code: 'EGRESS_DENIED',
      found: expect.stringContaining('127.0.0.1'),
    });
  });

  test('where both are allowed, the export arrives', async () => {
    const own = await topics.make();
    const sink = topics.open({
      topic: own,
      egress: createEgressPolicy({ allowOnly: [relay.host, '127.0.0.1'] }),
      spec: { brokers: [relay.address] },
    });
    await expect(exportTo(sink)).resolves.toMatchObject({ outcome: 'applied' });
    await expect(sink.testConnection(limit())).resolves.toMatchObject({ ok: true });
  });
});
