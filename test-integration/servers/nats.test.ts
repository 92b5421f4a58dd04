import { afterEach, expect, test } from '@jest/globals';
import { jetstreamManager, jetstream } from '@nats-io/jetstream';
import { connect, type NatsConnection as Client } from '@nats-io/transport-node';
import { waitUntil } from '../support/wait-until.ts';
import { startNats, type NatsServer, type StartNatsOptions } from './index.ts';

const START_MS = 120_000;
const servers: NatsServer[] = [];
const clients: Client[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function start(options?: StartNatsOptions): Promise<NatsServer> {
  const server = await startNats(options);
  servers.push(server);
  return server;
}

async function clientOf(server: NatsServer, options: Parameters<typeof connect>[0] = {}): Promise<Client> {
  const client = await connect({ servers: [...server.servers], reconnect: false, timeout: 2_000, ...options });
  clients.push(client);
  return client;
}

async function countOf(client: Client): Promise<number> {
  return (await (await jetstreamManager(client)).streams.info('kept')).state.messages;
}

test(
  'keeps its data and ports when it is killed and started again',
  async () => {
    const server = await start();
    const client = await clientOf(server);
    await (await jetstreamManager(client)).streams.add({ name: 'kept', subjects: ['kept'] });
    await jetstream(client).publish('kept', 'x');
    await server.kill();
    await expect(clientOf(server)).rejects.toThrow();
    await server.start();
    expect(await countOf(await clientOf(server))).toBe(1);
  },
  START_MS,
);

test(
  'says nothing while it is frozen',
  async () => {
    const server = await start();
    const client = await clientOf(server);
    await server.freeze();
    await expect(clientOf(server, { timeout: 300 })).rejects.toThrow(/timeout/iu);
    await server.thaw();
    await client.flush();
  },
  START_MS,
);

test(
  'reads files, and another configuration when it is told to',
  async () => {
    const files = { users: 'authorization { token: "first" }' };
    const server = await start({ config: 'include "./users"', files });
    await clientOf(server, { token: 'first' });
    await server.reload('authorization { token: "second" }');
    await expect(clientOf(server, { token: 'first' })).rejects.toThrow();
    await clientOf(server, { token: 'second' });
  },
  START_MS,
);

test(
  'is a cluster where several nodes are asked for',
  async () => {
    const server = await start({ nodes: 3 });
    const client = await clientOf(server);
    const config = { name: 'kept', subjects: ['kept'], num_replicas: 3 };
    const made = await waitUntil(
      () =>
        jetstreamManager(client)
          .then((manager) => manager.streams.add(config))
          .catch(() => undefined),
      { what: 'the cluster makes a stream', timeoutMs: 60_000 },
    );
    expect(made.cluster?.replicas).toHaveLength(2);
  },
  START_MS,
);

test(
  'tells the log of a server that does not start',
  async () => {
    await expect(start({ config: 'no_such_setting: true' })).rejects.toThrow(/no_such_setting/u);
  },
  START_MS,
);

test(
  'is no container where that was asked for and its image cannot be had',
  async () => {
    const before = process.env['KOLLECT_TEST_NATS_IMAGE'];
    process.env['KOLLECT_TEST_NATS_IMAGE'] = '127.0.0.1:1/no/such:image';
    try {
      await expect(start({ kind: 'containers' })).rejects.toThrow(
        /^NATS cannot be started in a container: (?:no engine answers|the engine cannot get 127\.0\.0\.1:1\/no\/such:image)\.$/u,
      );
    } finally {
      if (before === undefined) delete process.env['KOLLECT_TEST_NATS_IMAGE'];
      else process.env['KOLLECT_TEST_NATS_IMAGE'] = before;
    }
  },
  START_MS,
);
