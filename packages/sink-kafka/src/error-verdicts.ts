import type { SinkErrorCode } from '@kollect/core';

/** What an error means for an export, in words of ours. */
export interface Verdict {
  readonly code: SinkErrorCode;
  readonly what: string;
  readonly remedy?: string;
  /** Where the code alone would say otherwise. */
  readonly retryable?: boolean;
}

const verdict =
  (code: SinkErrorCode, traits: Pick<Verdict, 'retryable'> = {}) =>
  (what: string, remedy?: string): Verdict => ({ code, what, ...(remedy === undefined ? {} : { remedy }), ...traits });
const unavailable = verdict('UNAVAILABLE');
const denied = verdict('PERMISSION_DENIED');
const refusedLogin = verdict('AUTHENTICATION_FAILED');
const invalidSpec = verdict('SPEC_INVALID');
const backend = verdict('BACKEND_ERROR');

const leaderMoved = unavailable(
  'The partition has no leader, or it moved to another broker',
  'The sink asks for the new one.',
);
const noTopic = verdict('NOT_FOUND')(
  'The topic does not exist',
  'Create it, correct spec.kafka.topic, or set topicProvisioning to create.',
);
const tooLarge = verdict('PAYLOAD_TOO_LARGE')(
  'The broker takes no batch of this size',
  "Lower spec.kafka.maxMessageBytes below the topic's max.message.bytes, or raise that.",
);
const coordinator = unavailable('The coordinator of the transaction is not available or moved');
const controllerMoved = unavailable('The controller of the cluster moved to another broker');
const tooFewReplicas = unavailable(
  'Too few replicas of the partition are in sync',
  'Bring the brokers back, or lower min.insync.replicas of the topic.',
);
const lostProducer = unavailable(
  'The broker no longer knows the producer, or another one took its place',
  'The sink makes a new producer.',
);
const badTopicSettings = (what: string): Verdict =>
  invalidSpec(what, 'Correct spec.kafka.newTopic, or create the topic yourself.');
const storage = unavailable('The broker cannot write to its disk', 'Look at the log of the broker.');

/** By the code that a broker answers with. */
const byProtocolCode: Readonly<Record<number, Verdict>> = {
  [-1]: verdict('BACKEND_ERROR', { retryable: true })(
    'The broker met an internal error',
    'The log of the broker tells more.',
  ),
  2: unavailable('The batch was damaged on its way to the broker'),
  3: noTopic,
  5: leaderMoved,
  6: leaderMoved,
  7: verdict('TIMEOUT')(
    'The broker gave up waiting for the replicas',
    'Look at the load of the brokers, or raise spec.kafka.requestTimeout.',
  ),
  8: unavailable('The broker is not available'),
  9: unavailable('A replica of the partition is not available'),
  10: tooLarge,
  11: controllerMoved,
  13: unavailable('A broker lost its connection to another one'),
  14: coordinator,
  15: coordinator,
  16: coordinator,
  17: invalidSpec('The broker takes no topic of this name', 'Correct spec.kafka.topic.'),
  18: {
    ...tooLarge,
    what: 'The batch is larger than a segment of the topic',
    remedy: 'Raise segment.bytes of the topic.',
  },
  19: tooFewReplicas,
  20: tooFewReplicas,
  21: invalidSpec('The broker does not take this value of acks', 'Correct spec.kafka.acks.'),
  29: denied(
    'The user may not write to the topic, or not see it',
    'Grant WRITE and DESCRIBE on the topic; topicProvisioning create needs CREATE, too.',
  ),
  30: denied('The user may not use the group'),
  31: denied(
    'The user may not do this on the cluster',
    'Grant IDEMPOTENT_WRITE on the cluster (brokers before 2.8), or CREATE where the sink makes the topic.',
  ),
  32: verdict('SNAPSHOT_INVALID')(
    'The broker does not take the time of the record',
    'Compare exportedAt with the clock of the broker, and with message.timestamp.before.max.ms and message.timestamp.after.max.ms of the topic.',
  ),
  33: refusedLogin(
    'The broker does not offer the SASL mechanism',
    'Set spec.kafka.sasl.mechanism to one that the listener has enabled.',
  ),
  34: refusedLogin(
    'The broker expected another step of the login',
    'Check that spec.kafka.sasl is set where the listener asks for a login.',
  ),
  35: backend('The broker does not speak a version of the protocol that the client knows', 'Use Kafka 2.1 or newer.'),
  36: unavailable('The topic was made by somebody else meanwhile'),
  37: badTopicSettings('The broker does not make a topic of so many partitions'),
  38: badTopicSettings('The broker does not make a topic of so many replicas: there are too few brokers'),
  39: badTopicSettings('The broker does not place the replicas so'),
  40: badTopicSettings('The broker refused a setting of the topic'),
  41: controllerMoved,
  42: backend('The broker could not make sense of the request'),
  43: verdict('SCHEMA_MISMATCH')(
    'The topic stores messages in a format that is too old',
    'Raise message.format.version of the topic.',
  ),
  44: badTopicSettings('A policy of the cluster forbids the request'),
  45: lostProducer,
  46: lostProducer,
  47: lostProducer,
  48: unavailable('The transaction is not in the state that the client took it for', 'The sink makes a new producer.'),
  49: lostProducer,
  50: invalidSpec(
    'The brokers allow no transaction of this length',
    'Raise transaction.max.timeout.ms of the brokers.',
  ),
  51: unavailable('An earlier transaction is still being ended'),
  52: coordinator,
  53: denied(
    'The user may not use the transactional id',
    'Grant WRITE and DESCRIBE on transactional ids that begin with spec.kafka.clientId.',
  ),
  54: backend('Security is turned off at the broker'),
  56: storage,
  57: storage,
  58: refusedLogin('The broker refused the login', 'Check the credentials, and that the user has this SASL mechanism.'),
  59: lostProducer,
  61: refusedLogin('The broker takes no delegation tokens'),
  62: refusedLogin('The broker does not know the delegation token'),
  63: refusedLogin('The delegation token belongs to somebody else'),
  64: refusedLogin('The broker refuses delegation tokens on this connection'),
  65: denied('The user may not use the delegation token'),
  66: refusedLogin('The delegation token has expired', 'Renew it.'),
  67: refusedLogin('The broker does not take this kind of principal'),
  72: unavailable(
    'The leader of the partition has no listener like this one',
    'Give every broker the listener that spec.kafka.brokers names.',
  ),
  74: leaderMoved,
  75: leaderMoved,
  76: invalidSpec('The broker does not take this compression', 'Set spec.kafka.compression to gzip or none.'),
  77: controllerMoved,
  78: leaderMoved,
  80: leaderMoved,
  83: leaderMoved,
  87: verdict('SCHEMA_MISMATCH')(
    'The broker refused the record',
    'Compare the settings of the topic with what docs/kafka.md recommends.',
  ),
  89: verdict('OVERLOADED')('The user is over its quota', 'Raise the quota, or export less often.'),
  90: lostProducer,
  93: refusedLogin('The broker does not take such credentials'),
  97: refusedLogin('The broker could not read the principal'),
  100: { ...noTopic, what: 'The topic was deleted', retryable: true },
  103: { ...noTopic, what: 'The topic was deleted and made anew', retryable: true },
  105: lostProducer,
  108: leaderMoved,
  120: unavailable('The transaction was aborted by the broker'),
};

/** What a broker meant by its error code; codes that belong to consumers and to administration alone have no better word. */
export function protocolVerdict(code: number): Verdict {
  return byProtocolCode[code] ?? backend('The broker answered with an error that has no place in publishing');
}

const settingsOfListener = 'Check that spec.kafka.tls and spec.kafka.sasl are what the listener at this port expects.';
const broken = unavailable('The connection to the broker was lost', settingsOfListener);
const refused = unavailable(
  'No broker answers at the address',
  'Check spec.kafka.brokers, and that the brokers run and their firewall lets this process in.',
);
const unresolved = unavailable(
  'The host name of a broker cannot be resolved',
  'Check spec.kafka.brokers, advertised.listeners of the brokers, and the DNS of this process.',
);
const unreachable = unavailable('The network of the broker cannot be reached');
const timedOut = verdict('TIMEOUT')('The broker did not answer in time');
const tls = verdict('TLS_FAILED');
const otherName = tls(
  'The certificate of the broker carries another name',
  'Dial it by that name, or set spec.kafka.tls.serverName.',
);
const untrusted = tls(
  'The certificate of the broker is signed by a CA that this sink does not trust',
  'Give the CA to the connection of the sink.',
);
const needsTls = tls(
  'The listener at this port expects TLS',
  'Set spec.kafka.tls, or name a plaintext listener in spec.kafka.brokers.',
);
const noFiles = verdict('OVERLOADED')(
  'This process or machine has too many files and sockets open',
  'Raise the limit of open files.',
);
const noSense = backend('What answers at the address does not speak the Kafka protocol', 'Check spec.kafka.brokers.');
const noCodec = invalidSpec(
  'The client cannot compress so',
  'Install the package that docs/kafka.md names, or set spec.kafka.compression to gzip.',
);
const bug = verdict('CONTRACT_VIOLATION')(
  'The client of Kafka did not take what the sink gave it',
  'A bug in the sink: please report it.',
);

/** Codes of sockets, name resolution, TLS and `@platformatic/kafka`. */
const byClientCode: Readonly<Record<string, Verdict>> = {
  ECONNREFUSED: refused,
  ECONNRESET: broken,
  ECONNABORTED: broken,
  EPIPE: broken,
  ERR_STREAM_DESTROYED: broken,
  ERR_STREAM_PREMATURE_CLOSE: broken,
  ERR_STREAM_WRITE_AFTER_END: broken,
  ERR_SOCKET_CLOSED: broken,
  ETIMEDOUT: timedOut,
  ERR_SOCKET_CONNECTION_TIMEOUT: timedOut,
  ENOTFOUND: unresolved,
  EAI_AGAIN: unresolved,
  EAI_NODATA: unresolved,
  EHOSTUNREACH: unreachable,
  EHOSTDOWN: unreachable,
  ENETUNREACH: unreachable,
  ENETDOWN: unreachable,
  EADDRNOTAVAIL: unreachable,
  EMFILE: noFiles,
  ENFILE: noFiles,
  ERR_INVALID_ARG_TYPE: bug,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  CERT_UNTRUSTED: untrusted,
  INVALID_CA: untrusted,
  CERT_HAS_EXPIRED: tls('The certificate of the broker has expired', 'Renew it, or correct the clock of this machine.'),
  CERT_NOT_YET_VALID: tls(
    'The certificate of the broker is not valid yet',
    'Renew it, or correct the clock of this machine.',
  ),
  CERT_REVOKED: tls('The certificate of the broker was revoked', 'Renew it.'),
  HOSTNAME_MISMATCH: otherName,
  ERR_TLS_CERT_ALTNAME_INVALID: otherName,
  PLT_KFK_AUTHENTICATION: refusedLogin(
    'The broker refused the login',
    'Check the credentials, and that the user has this SASL mechanism.',
  ),
  PLT_KFK_TIMEOUT: timedOut,
  PLT_KFK_OUT_OF_BOUNDS: noSense,
  PLT_KFK_UNEXPECTED_CORRELATION_ID: noSense,
  PLT_KFK_UNSUPPORTED_API: protocolVerdict(35),
  PLT_KFK_UNSUPPORTED_COMPRESSION: noCodec,
  PLT_KFK_USER: bug,
};

/** Alerts of the other side, by the names that OpenSSL gives them: most are about our certificate. */
const ownCertificate = tls(
  'The broker did not take our certificate',
  'Give the connection of the sink a client certificate that the CA of the broker signed.',
);
const otherTls = tls(
  'The TLS handshake failed',
  'Check CA, client certificate and key, and that the listener at this port speaks TLS.',
);

/** What the clients say without a code; kafkajs names its errors. */
const byClientText: readonly (readonly [RegExp, Verdict])[] = [
  [/^AbortError\b/, verdict('ABORTED')('The operation was aborted')],
  [/^TimeoutError\b|^KafkaJS(RequestTimeout|LockTimeout|Timeout)|timed? ?out|timeout/i, timedOut],
  [
    /^KafkaJSSASLAuthenticationError/,
    refusedLogin('The broker refused the login', 'Check the credentials, and that the user has this SASL mechanism.'),
  ],
  [/^KafkaJSNotImplemented/, noCodec],
  [/^KafkaJS(PartialMessage|UnsupportedMagicByte)|out of range|Invalid .*response/i, noSense],
  [/^KafkaJSServerDoesNotSupportApiKey/, protocolVerdict(35)],
  [/^KafkaJSConnection|Connection .*(clos|fail)|Closed connection|not connected|disconnect/i, broken],
  [
    /^KafkaJS(BrokerNotFound|(Topic)?MetadataNotLoaded|GroupCoordinatorNotFound|NoBrokerAvailable)/,
    unavailable('The client does not know the broker yet, or no longer'),
  ],
];

/** What an error without a Kafka code means: by the code of socket, TLS or client, else by name and words; undefined where neither says. */
export function clientErrorVerdict(code: unknown, text: string): Verdict | undefined {
  // @platformatic/kafka notices, and takes it for a mistake in its options.
  if (code === 'PLT_KFK_USER' && /requires TLS/.test(text)) return needsTls;
  if (typeof code === 'string') {
    const known = byClientCode[code];
    if (known !== undefined) return known;
    if (
      /ALERT_(BAD|UNSUPPORTED|REVOKED|EXPIRED|UNKNOWN)_CERT|ALERT_CERTIFICATE|ALERT_UNKNOWN_CA|ALERT_ACCESS_DENIED|CERTIFICATE_REQUIRED/i.test(
        code,
      )
    )
      return ownCertificate;
    if (/^(ERR_SSL|ERR_TLS|ERR_OSSL|CERT_|CRL_|UNABLE_TO_|EPROTO$)/.test(code)) return otherTls;
  }
  return byClientText.find(([pattern]) => pattern.test(text))?.[1];
}

export const unknownFault = unavailable('The client of Kafka failed in a way the sink does not know');
