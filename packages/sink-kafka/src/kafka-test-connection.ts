import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import type { ConnectionReport, SinkContext } from '@kollect/core';
import {
  capital,
  certificateExpiry,
  createConnectionTest,
  formatServerAddress,
  showText,
  tryServers,
  type ConnectionTest,
  type Finding,
  type OperationScope,
  type Remedies,
} from '@kollect/core/authoring';
import { brokerAddresses, describeBrokers } from './clients/broker-address.ts';
import { clientConfig, transactionalIdPrefix } from './clients/client-config.ts';
import type { KafkaClient, KafkaClientConfig, KafkaClientFactory } from './kafka-client.ts';
import { protocolCodeIn } from './kafka-errors.ts';
import { checkedCredentials, checkedTls } from './kafka-login.ts';
import type { ResolvedKafkaSpec } from './kafka-spec.ts';
import {
  checkCleanup,
  checkDurability,
  checkMessages,
  checkPermission,
  checkSize,
  checkTopic,
} from './publishing/topic-checks.ts';

export interface TestConnectionOptions {
  readonly scope: OperationScope;
  readonly context: SinkContext<ResolvedKafkaSpec>;
  readonly makeClient: KafkaClientFactory;
}

/**
 * Tries what an export needs, a step at a time: credentials, resolve, connect, tls, sasl, metadata, topic, and then permission, size, durability,
 * cleanup and messages of the topic. Writes nothing. Rejects only when aborted.
 */
export async function testConnection(options: TestConnectionOptions): Promise<ConnectionReport> {
  const { scope, context, makeClient } = options;
  const { spec, egress } = context;
  const config = clientConfig(context);
  const on = createConnectionTest({ scope, egress, timeoutMs: spec.connectTimeoutMs, remedies });
  const clients: KafkaClient[] = [];
  const make = (own: Pick<KafkaClientConfig, 'transactionalId'> = {}): KafkaClient => {
    const client = makeClient({ ...config, ...own });
    clients.push(client);
    return client;
  };
  try {
    const encrypted = await untilEncrypted(on, context);
    const session = await on.step(
      {
        name: 'sasl',
        doing: `logging in at ${describeBrokers(spec.brokers)}`,
        after: encrypted,
        timeoutMs: spec.connectTimeoutMs + spec.requestTimeoutMs,
      },
      async () => {
        const made = make();
        await made.connect();
        await askSomething(made, spec);
        const found = spec.sasl === undefined ? 'The broker asks for no login.' : 'The broker accepted the login.';
        return { found, value: made };
      },
    );
    const asking = { doing: 'asking for the topic', timeoutMs: spec.requestTimeoutMs * 2 };
    const described = await on.step({ name: 'metadata', after: session, ...asking }, async (made, step) => {
      const description = await made.describeTopic(spec.topic, { configs: true, permissions: true });
      const { leaders = [] } = description ?? {};
      const value = { description };
      if (leaders.length === 0) return { found: 'The cluster answers.', value };
      // Exports go to the addresses that the brokers give themselves, which may be those of their own network.
      const { found, warning } = await tryServers(leaders, step, {
        doing: 'connecting to',
        timeoutMs: spec.connectTimeoutMs,
        run: async (leader, { signal }) => {
          const socket = await egress.dial({ ...leader, signal, timeoutMs: spec.connectTimeoutMs });
          socket.destroy();
          return `${formatServerAddress(leader)} accepts connections, as the cluster names who leads the topic.`;
        },
      });
      return {
        found: `The cluster answers. ${found}`,
        value,
        warning: warning === undefined ? undefined : { ...warning, remedy: lostLeader },
      };
    });
    const topic = await on.step({ name: 'topic', after: described, ...asking }, async ({ description }) => {
      const finding = checkTopic(spec, description);
      // What the brokers would say of the topic that the first export makes.
      if (description === undefined && spec.newTopic !== undefined)
        await session?.createTopic({ topic: spec.topic, ...spec.newTopic }, { validateOnly: true });
      return finding;
    });
    const beginning = { doing: 'beginning a transaction', timeoutMs: spec.requestTimeoutMs * 2 };
    await on.step({ name: 'permission', after: topic, ...beginning }, async (found) => {
      const finding = checkPermission(spec, found);
      if (spec.transactional) await beginTransaction(make({ transactionalId: transactionalIdPrefix(spec) }));
      return finding;
    });
    const looking = { doing: 'looking at the settings of the topic', after: topic };
    await on.step({ name: 'size', ...looking }, async (found) => checkSize(spec, found));
    await on.step({ name: 'durability', ...looking }, async (found) => checkDurability(spec, found));
    await on.step({ name: 'cleanup', ...looking }, async (found) => checkCleanup(spec, found));
    await on.step({ name: 'messages', ...looking }, async (found) => checkMessages(spec, found));
    return on.report();
  } finally {
    await Promise.all(clients.map((client) => client.destroy()));
  }
}

/** Of a transaction without messages, the topic hears nothing. */
async function beginTransaction(client: KafkaClient): Promise<void> {
  await client.connect();
  await client.transaction(() => Promise.resolve());
}

/** Credentials, resolve, connect and tls. */
async function untilEncrypted(on: ConnectionTest, context: SinkContext<ResolvedKafkaSpec>): Promise<true | undefined> {
  const { spec } = context;
  const { sasl } = spec;
  const login = await on.credentials(context, (given, material) => {
    const { username } = checkedCredentials(spec, given);
    const value = { tls: checkedTls(spec, material) };
    const certificate = material.cert === undefined ? 'none' : 'a client certificate';
    const who =
      sasl === undefined
        ? certificate
        : `${username === undefined ? 'a token' : showText(username)}, ${sasl.mechanism}`;
    const expiry = certificateExpiry(material.cert ?? '', { subject: 'the client certificate' });
    return {
      found: `Login: ${who}.${expiry === undefined ? '' : ` ${capital(expiry.found)}.`}`,
      value,
      warning: expiry?.warning,
    };
  });
  const connected = await on.connect(await on.resolve(login === undefined ? undefined : brokerAddresses(spec.brokers)));
  const { tls } = login ?? {};
  if (tls === undefined)
    return on.step({ name: 'tls', doing: 'looking at the spec', after: connected }, async () => plaintext(spec));
  return on.tls({ after: connected, tls: ({ host }) => tls.for(host), ask: askWithinTls });
}

const lostLeader =
  'Bring the brokers back, or correct their advertised.listeners: inventories whose key belongs to their partitions cannot be published.';

const remedies: Remedies = {
  PAYLOAD_TOO_LARGE: 'Lower maxMessageBytes, or raise max.message.bytes of the topic.',
  AUTHENTICATION_FAILED: 'Check the credentials, and that the user has the SASL mechanism at this listener.',
  PERMISSION_DENIED: 'Grant the user WRITE and DESCRIBE on the topic.',
  TLS_FAILED:
    'Give the CA that signed the certificates of the brokers, dial them by a name that those carry, or set tls.serverName.',
  NOT_FOUND: 'Create the topic, correct its name in the spec, or set topicProvisioning to create.',
  SCHEMA_MISMATCH: 'Compare the settings of the topic with what docs/kafka.md recommends.',
  UNAVAILABLE:
    'Check brokers and firewall, that the brokers run, and that tls and sasl are what the listener at this port expects.',
  OVERLOADED: 'Raise the quota of the user, or the limits of the brokers.',
  TIMEOUT: 'Check firewall and load of the brokers, or raise connectTimeout and requestTimeout.',
  BACKEND_ERROR: 'Check that Kafka 2.1 or newer answers at host and port, and read the log of the broker.',
};

function plaintext({ sasl, tls }: ResolvedKafkaSpec): Finding<true> {
  const found = `Not encrypted: spec.kafka.tls ${tls === undefined ? 'is absent' : 'has the mode disable'}.`;
  if (sasl === undefined) return { found, value: true };
  const secret =
    sasl.mechanism === 'oauthbearer'
      ? 'The token crosses'
      : sasl.mechanism === 'plain'
        ? 'The password crosses'
        : 'What is published crosses';
  return {
    found,
    value: true,
    warning: {
      code: 'TLS_FAILED',
      remedy: `${secret} the network in the clear: use a listener with TLS and set tls: {}.`,
    },
  };
}

/** A broker that wants a login may hear of it without one first, and hang up at the first question; what it says of the topic is for later steps. */
async function askSomething(client: KafkaClient, { sasl, topic }: ResolvedKafkaSpec): Promise<void> {
  if (sasl !== undefined) return;
  await client.describeTopic(topic).catch((error: unknown) => {
    if (protocolCodeIn(error) === undefined) throw error;
  });
}

/** ApiVersions, version 0. */
const anyQuestion = Buffer.from('0000000a0012000000000001ffff', 'hex');

/** With TLS 1.3 a broker refuses our certificate after the handshake, when it is asked for something. */
async function askWithinTls(channel: TLSSocket, { signal }: OperationScope): Promise<void> {
  const over = new AbortController();
  const closed = once(channel, 'close', { signal: over.signal }).then(() => {
    throw Object.assign(new Error('The broker ended the connection'), { code: 'ECONNRESET' });
  });
  closed.catch(() => undefined);
  try {
    channel.write(anyQuestion);
    await Promise.race([once(channel, 'data', { signal }), closed]);
  } finally {
    over.abort();
  }
}
