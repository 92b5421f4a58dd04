import { isIP, type Socket } from 'node:net';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import type { ConnectionReport, Egress, Finding, SinkContext } from '@kollect/core';
import { limitedBy } from './publishing/attempt.ts';
import { brokerTls, openBrokerSocket } from './clients/broker-socket.ts';
import { clientConfig } from './clients/client-config.ts';
import { kafkaReportBuilder } from './connection-remedies.ts';
import type { KafkaClient, KafkaClientFactory } from './kafka-client.ts';
import { kafkaError, protocolCodeIn } from './kafka-errors.ts';
import type { ResolvedKafkaSpec } from './kafka-spec.ts';
import { describeBrokers, parseBroker, type BrokerAddress } from './clients/broker-address.ts';
import { checkCleanup, checkDurability, checkPermission, checkSize, checkTopic } from './publishing/topic-checks.ts';

export interface TestConnectionOptions {
  readonly context: SinkContext<ResolvedKafkaSpec>;
  readonly makeClient: KafkaClientFactory;
  readonly signal: AbortSignal;
}

const operation = 'test-connection';

/**
 * Tries what an export needs, a step at a time: credentials, resolve, connect, tls, sasl, metadata, topic, and then permission, size, durability
 * and cleanup of the topic. Writes nothing. Rejects only when aborted.
 */
export async function testConnection({
  context,
  makeClient,
  signal,
}: TestConnectionOptions): Promise<ConnectionReport> {
  const { spec, egress } = context;
  const config = clientConfig(context);
  const { step, report } = kafkaReportBuilder(signal, `talking to ${describeBrokers(spec.brokers)}`);
  const limited = <T>(doing: string, promise: Promise<T>, timeoutMs = spec.connectTimeoutMs): Promise<T> =>
    limitedBy({ signal, operation, doing, timeoutMs }, promise);
  const sockets: Socket[] = [];
  let client: KafkaClient | undefined;
  try {
    const material = await step('credentials', context, async () => {
      const [credentials, value] = await limited(
        'reading the credentials',
        Promise.all([config.credentials(), config.tlsMaterial()]),
      );
      const who =
        spec.sasl === undefined
          ? value.cert === undefined
            ? 'none'
            : 'a client certificate'
          : [credentials['username'] ?? 'a token', spec.sasl.mechanism].join(', ');
      return { found: `Login: ${who}.`, value };
    });
    const resolved = await step('resolve', material, () =>
      reachable(brokersOf(spec), 'resolved', (broker) =>
        limited(`resolving ${broker.host}`, resolve(egress, broker.host)),
      ),
    );
    const dial = async ({ host, port }: BrokerAddress): Promise<void> => {
      const socket = await egress.dial({ host, port, signal, timeoutMs: spec.connectTimeoutMs });
      socket.destroy();
    };
    const connected = await step('connect', resolved, (brokers) => reachable(brokers, 'reached', dial));
    const encrypted = await step('tls', connected, async ([broker]) => {
      if (spec.tls === undefined || broker === undefined) return plaintext(spec);
      const onSocket = (socket: Socket): number => sockets.push(socket);
      return limited(
        'shaking hands',
        handshake({ broker, egress, tls: brokerTls(spec.tls.serverName ?? broker.host, material ?? {}), onSocket }),
      );
    });
    const session = await step('sasl', encrypted, async () => {
      const made = (client = makeClient(config));
      await limited(
        'logging in',
        made.connect().then(() => askSomething(made, spec)),
        spec.connectTimeoutMs + spec.requestTimeoutMs,
      );
      return {
        found: spec.sasl === undefined ? 'The broker asks for no login.' : 'The broker accepted the login.',
        value: made,
      };
    });
    const described = await step('metadata', session, async (on) => {
      const asked = on.describeTopic(spec.topic, { configs: true, permissions: true });
      const description = await limited('asking for the topic', asked, spec.requestTimeoutMs * 2);
      const { leaders = [] } = description ?? {};
      const value = { description };
      if (leaders.length === 0) return { found: 'The cluster answers.', value };
      // Exports go to the addresses that the brokers give themselves, which may be those of their own network.
      const { found, warning } = await reachable(
        leaders,
        'reached, as the cluster names those who lead the topic',
        dial,
      );
      const remedy =
        'Bring the brokers back, or correct their advertised.listeners: inventories whose key belongs to their partitions cannot be published.';
      return {
        found: `The cluster answers. ${found}`,
        value,
        ...(warning === undefined ? {} : { warning: { ...warning, remedy } }),
      };
    });
    const topic = await step('topic', described, async ({ description }) => checkTopic(spec, description));
    await step('permission', topic, async (on) => {
      const finding = checkPermission(spec, on);
      // Of a transaction without messages, the topic hears nothing.
      if (spec.transactional)
        await limited(
          'beginning a transaction',
          session?.transaction(() => Promise.resolve()) ?? Promise.resolve(),
          spec.requestTimeoutMs * 2,
        );
      return finding;
    });
    await step('size', topic, async (on) => checkSize(spec, on));
    await step('durability', topic, async (on) => checkDurability(spec, on));
    await step('cleanup', topic, async (on) => checkCleanup(spec, on));
    return report();
  } finally {
    for (const socket of sockets) socket.destroy();
    await client?.destroy();
  }
}

function brokersOf({ brokers }: ResolvedKafkaSpec): readonly BrokerAddress[] {
  return brokers.flatMap((broker) => parseBroker(broker) ?? []);
}

/** Tries each broker: one that answers is enough, and those that do not are a warning. Throws what the first met where none does. */
async function reachable(
  brokers: readonly BrokerAddress[],
  verb: string,
  attempt: (broker: BrokerAddress) => Promise<unknown>,
): Promise<Finding<readonly BrokerAddress[]>> {
  const outcomes = await Promise.allSettled(brokers.map(attempt));
  const good = brokers.filter((_, index) => outcomes[index]?.status === 'fulfilled');
  const failures = brokers.flatMap(({ host, port }, index) => {
    const outcome = outcomes[index];
    return outcome?.status === 'rejected'
      ? [kafkaError(outcome.reason, { operation, doing: `talking to ${host}:${port}` })]
      : [];
  });
  const [failure] = failures;
  if (good.length === 0) throw failure ?? new Error('There is no broker.');
  const found = `${good.map(({ host, port }) => `${host}:${port}`).join(', ')} ${verb}.`;
  if (failure === undefined) return { found, value: good };
  const remedy =
    'Correct spec.kafka.brokers or bring the others back: an export finds the cluster through one that answers.';
  return {
    found: `${found} ${failures.map(({ message }) => message).join(' ')}`,
    value: good,
    warning: { code: failure.code, remedy },
  };
}

/** Throws unless the egress policy allows an address of the host. */
async function resolve(egress: Egress, host: string): Promise<void> {
  if (isIP(host) !== 0) return egress.check(host);
  return new Promise((settle, reject) => {
    egress.lookup(host, { all: true }, (error) => {
      if (error === null) settle();
      else reject(error);
    });
  });
}

function plaintext({ sasl }: ResolvedKafkaSpec): Finding<true> {
  const found = 'Not encrypted: spec.kafka.tls is absent.';
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

interface HandshakeOptions {
  readonly broker: BrokerAddress;
  readonly egress: Egress;
  readonly tls: ConnectionOptions;
  readonly onSocket: (socket: Socket) => void;
}

const soonMs = 14 * 86_400_000;
/** ApiVersions, version 0: with TLS 1.3 a broker refuses our certificate after the handshake, when it is asked for something. */
const anyQuestion = Buffer.from('0000000a0012000000000001ffff', 'hex');

async function handshake({ broker, onSocket, ...options }: HandshakeOptions): Promise<Finding<true>> {
  const channel = await new Promise<TLSSocket>((settle, reject) => {
    const socket = openBrokerSocket({ ...broker, ...options, onConnect: () => socket.write(anyQuestion) });
    onSocket(socket);
    socket.once('data', () => settle(socket as TLSSocket));
    socket.on('error', reject);
    socket.once('close', () =>
      reject(Object.assign(new Error('The broker ended the connection'), { code: 'ECONNRESET' })),
    );
  });
  const validTo = Date.parse(channel.getPeerCertificate().valid_to);
  const found = `${channel.getProtocol() ?? 'TLS'}; the certificate is valid until ${new Date(validTo).toISOString()}.`;
  channel.destroy();
  if (validTo - Date.now() > soonMs) return { found, value: true };
  return {
    found,
    value: true,
    warning: { code: 'TLS_FAILED', remedy: 'Renew the certificate of the broker: it expires within two weeks.' },
  };
}
