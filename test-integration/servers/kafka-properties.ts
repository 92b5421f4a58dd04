import { CERTIFICATE_PRINCIPAL, type KafkaListener, type KafkaUser } from './kafka-connection.ts';

/** The listeners that a broker opens to clients, beside one of its own for other brokers. */
export const CLIENT_LISTENERS = [
  'plaintext',
  'sasl',
  'saslTls',
  'tls',
  'mtls',
  'expired',
  'elsewhere',
] as const satisfies readonly KafkaListener[];

const PROTOCOLS: Readonly<Record<KafkaListener | 'internal' | 'controller', string>> = {
  plaintext: 'PLAINTEXT',
  sasl: 'SASL_PLAINTEXT',
  saslTls: 'SASL_SSL',
  tls: 'SSL',
  mtls: 'SSL',
  expired: 'SSL',
  elsewhere: 'SSL',
  proxied: 'PLAINTEXT',
  internal: 'PLAINTEXT',
  controller: 'PLAINTEXT',
};

/** Where a listener is bound, and where clients are told that it is. */
export interface ListenerAddress {
  readonly bind: string;
  /** Left away for the controller, which clients are not told of. */
  readonly advertised?: string;
}

/** What one process of the cluster is configured with. */
export interface NodeSettings {
  readonly id: number;
  readonly roles: readonly ('broker' | 'controller')[];
  /** `host:port` of the controller, which has this id. */
  readonly controller: { readonly id: number; readonly address: string };
  readonly listeners: Readonly<Partial<Record<KafkaListener | 'internal' | 'controller', ListenerAddress>>>;
  readonly brokers: number;
  readonly users: readonly KafkaUser[];
  readonly admin: KafkaUser;
  /** Where the directory of the PEM files of `certificateFiles` is, for the server. */
  readonly certificates: string;
  readonly data: string;
  readonly settings: Readonly<Record<string, string>>;
}

/** The file names of the servers' keys and certificates, and of the authority. */
export const certificateFiles = {
  server: 'server.pem',
  expired: 'expired.pem',
  elsewhere: 'elsewhere.pem',
  ca: 'ca.pem',
} as const;

/** The content of server.properties as names and values. */
export function kafkaProperties(node: NodeSettings): Record<string, string> {
  const listeners = Object.entries(node.listeners);
  const advertised = listeners.flatMap(([name, { advertised: address }]) =>
    address === undefined ? [] : [`${name.toUpperCase()}://${address}`],
  );
  const isBroker = node.roles.includes('broker');
  return {
    'process.roles': node.roles.join(','),
    'node.id': String(node.id),
    'controller.quorum.voters': `${node.controller.id}@${node.controller.address}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: listeners.map(([name, { bind }]) => `${name.toUpperCase()}://${bind}`).join(','),
    ...(advertised.length > 0 && { 'advertised.listeners': advertised.join(',') }),
    'listener.security.protocol.map': Object.entries(PROTOCOLS)
      .map(([name, protocol]) => `${name.toUpperCase()}:${protocol}`)
      .join(','),
    'inter.broker.listener.name': 'INTERNAL',
    'log.dirs': node.data,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': ['ANONYMOUS', node.admin.username, CERTIFICATE_PRINCIPAL].map((name) => `User:${name}`).join(';'),
    ...(isBroker && brokerProperties(node)),
    ...node.settings,
  };
}

function brokerProperties(node: NodeSettings): Record<string, string> {
  const replicas = String(Math.min(node.brokers, 3));
  return {
    ...saslProperties(node),
    ...tlsProperties(node.certificates),
    'auto.create.topics.enable': 'false',
    'num.network.threads': '2',
    'num.io.threads': '4',
    'num.partitions': '1',
    'default.replication.factor': replicas,
    'min.insync.replicas': '1',
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': '1',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '1',
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': '1',
    'share.coordinator.state.topic.num.partitions': '1',
    'group.initial.rebalance.delay.ms': '0',
    // With the nine seconds of the default, a broker that was killed waits as long until it may register again.
    'broker.session.timeout.ms': '2000',
    'broker.heartbeat.interval.ms': '200',
    // A follower that fell back is out of the in-sync replicas soon.
    'replica.lag.time.max.ms': '3000',
    'leader.imbalance.check.interval.seconds': '3600',
    'log.cleaner.dedupe.buffer.size': '2097152',
  };
}

function saslProperties({ users }: NodeSettings): Record<string, string> {
  const login = 'org.apache.kafka.common.security';
  const logins = users.map(({ username, password }) => `user_${username}="${password}"`).join(' ');
  const modules = {
    plain: `${login}.plain.PlainLoginModule required ${logins};`,
    'scram-sha-256': `${login}.scram.ScramLoginModule required;`,
    'scram-sha-512': `${login}.scram.ScramLoginModule required;`,
    // The claim is what a broker would log in with, if brokers talked to each other this way.
    oauthbearer: `${login}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
  };
  const perListener = ['sasl', 'sasltls'].flatMap((listener) =>
    Object.entries(modules).map(
      ([mechanism, module]) => [`listener.name.${listener}.${mechanism}.sasl.jaas.config`, module] as const,
    ),
  );
  return {
    'sasl.enabled.mechanisms': Object.keys(modules).join(',').toUpperCase(),
    ...Object.fromEntries(perListener),
  };
}

function tlsProperties(directory: string): Record<string, string> {
  const at = (name: keyof typeof certificateFiles): string => `${directory}/${certificateFiles[name]}`;
  return {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': at('server'),
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': at('ca'),
    'listener.name.expired.ssl.keystore.type': 'PEM',
    'listener.name.expired.ssl.keystore.location': at('expired'),
    'listener.name.elsewhere.ssl.keystore.type': 'PEM',
    'listener.name.elsewhere.ssl.keystore.location': at('elsewhere'),
    'listener.name.mtls.ssl.client.auth': 'required',
  };
}
