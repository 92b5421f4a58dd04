import type { SinkErrorCode } from '@kollect/core';
import { createClassifier, type Classifier, type ErrorReading, type Fault } from '@kollect/core/authoring';
import type { NatsFailureKind } from './wire/failure.ts';

interface NatsReading extends ErrorReading {
  readonly failure: unknown;
  readonly jetStream: unknown;
}

const fault = (code: SinkErrorCode, what: string, remedy?: string, retryable?: boolean): Fault => ({
  code,
  what,
  ...(remedy === undefined ? {} : { remedy }),
  ...(retryable === undefined ? {} : { retryable }),
});

const checkLogin = 'Check the credentials, and that the server and its account know this user.';
const noSense = fault(
  'BACKEND_ERROR',
  'What answers at the address does not speak the protocol of NATS as it should',
  'Check spec.nats.servers.',
);
const tooLarge = (what: string): Fault =>
  fault(
    'PAYLOAD_TOO_LARGE',
    what,
    'Lower spec.nats.maxMessageBytes, or raise max_payload of the server or max_msg_size of the stream.',
  );

/** By what happened on the connection. */
const byFailure: Readonly<Record<NatsFailureKind, Fault>> = {
  authorization: fault('AUTHENTICATION_FAILED', 'The server refused the login', checkLogin),
  'login-expired': fault('AUTHENTICATION_FAILED', 'The login has expired or was revoked', 'Renew the credentials.'),
  'denied-publish': fault(
    'PERMISSION_DENIED',
    'The user may not publish to a subject that the sink needs',
    'Grant what docs/nats.md lists.',
  ),
  'denied-subscribe': fault(
    'PERMISSION_DENIED',
    'The user may not subscribe to the answers that the sink waits for',
    'Grant the user to subscribe to spec.nats.inboxPrefix followed by ".>".',
  ),
  'no-nats': noSense,
  'huge-answer': { ...noSense, what: 'The server sent an answer that is larger than it may be' },
  'no-headers': fault('BACKEND_ERROR', 'The server takes no headers', 'Use NATS 2.10 or newer, with headers.'),
  'needs-tls': fault(
    'TLS_FAILED',
    'The server expects TLS',
    'Set spec.nats.tls, and in it handshakeFirst where the server begins with TLS.',
  ),
  'no-tls': fault(
    'TLS_FAILED',
    'The server does not offer TLS',
    'Turn TLS on at the server, or set spec.nats.tls.mode to disable where the network is trusted.',
  ),
  'no-responders': fault(
    'UNAVAILABLE',
    'Nobody answers for JetStream: it is not enabled for this account, the stream has no leader, or no stream takes the subject',
    'Check that JetStream is enabled for the account, and look at the stream.',
  ),
  'too-many-connections': fault(
    'OVERLOADED',
    'The server takes no more connections',
    'Raise max_connections, or use fewer clients.',
  ),
  stale: fault('UNAVAILABLE', 'The server gave the connection up as stale'),
  payload: tooLarge('The message is larger than the server takes'),
  timeout: fault(
    'TIMEOUT',
    'The server did not answer in time',
    'Look at the load of the servers, or raise spec.nats.requestTimeout.',
  ),
  lost: fault('UNAVAILABLE', 'The connection to the server was lost'),
  other: fault(
    'BACKEND_ERROR',
    'The server ended the connection with an error that has no place here',
    'Read the log of the server.',
  ),
};

const unavailable = (what: string): Fault => fault('UNAVAILABLE', what);
const noRoom = (what: string, remedy: string): Fault => fault('OVERLOADED', what, remedy);
const notEnabled = fault(
  'NOT_FOUND',
  'JetStream is not enabled for the account',
  'Enable JetStream for the account of this user.',
);
const noStream = fault(
  'NOT_FOUND',
  'The stream does not exist',
  'Create it, correct spec.nats.stream, or set spec.nats.provisioning to create.',
);
const lostRace = fault('UNAVAILABLE', 'Another exporter wrote the subject meanwhile');
const badStream = fault(
  'SPEC_INVALID',
  'The server does not make such a stream',
  'Correct spec.nats.newStream, or create the stream yourself.',
);
const elsewhere = fault(
  'SCHEMA_MISMATCH',
  'Another stream takes the subjects of the sink',
  'Name that stream in spec.nats.stream, or choose another spec.nats.subjectPrefix.',
);
const settings = (what: string): Fault =>
  fault('SCHEMA_MISMATCH', what, 'Compare the settings of the stream with docs/nats.md.');

/** By the number of JetStream's error. */
const byJetStream: Readonly<Record<number, Fault>> = {
  10002: noRoom(
    'The account has used up its JetStream resources',
    'Raise the limits of the account, or delete streams.',
  ),
  10005: unavailable('The cluster has no peers for the stream'),
  10008: unavailable('JetStream is not available at the moment'),
  10009: unavailable('The leader of JetStream moved to another server'),
  10023: noRoom('The server lacks resources for JetStream', 'Give the server more memory or disk.'),
  10027: noRoom('The account may have no more streams', 'Raise the limit of the account.'),
  10028: noRoom('The server lacks memory for JetStream', 'Raise max_memory_store of the server.'),
  10035: notEnabled,
  10039: notEnabled,
  10047: noRoom('The server lacks storage for JetStream', 'Raise max_file_store of the server, or free its disk.'),
  10052: badStream,
  10053: noRoom('A limit of the stream forbids it', 'Raise the limits of the stream or of the account.'),
  10054: tooLarge('The message is larger than the stream takes'),
  10058: fault(
    'SCHEMA_MISMATCH',
    'A stream of this name exists and is set otherwise',
    'Correct spec.nats.stream, or set provisioning to existing.',
  ),
  10059: noStream,
  10060: elsewhere,
  10065: elsewhere,
  10071: lostRace,
  10074: { ...badStream, what: 'A server without a cluster keeps one replica alone' },
  10076: notEnabled,
  10077: noRoom(
    'The stream could not store the message: it is full and discards what is new, or the disk of the server failed',
    'Raise max_bytes or max_msgs of the stream, let it discard what is old, or free the disk.',
  ),
  10097: tooLarge('The headers of the message are larger than the 64 KiB that the server takes'),
  10109: settings('The stream is sealed'),
  10111: settings('The stream allows no rollup, which retain latest needs'),
  10113: {
    ...badStream,
    what: 'The account wants every stream to have a size limit',
    remedy: 'Set spec.nats.newStream.maxBytes.',
  },
  10118: unavailable('The stream is offline'),
  10122: { ...badStream, what: 'The account allows no stream of this size' },
  10164: lostRace,
  10167: noRoom('The server asks for fewer requests', 'Export less often.'),
  10174: settings('The stream allows no atomic batches'),
  10176: unavailable('The server gave up a batch that was not complete'),
  10194: unavailable('The stream is offline'),
  10199: tooLarge('The batch has more messages than the server takes'),
  10201: lostRace,
  10210: noRoom('Too many batches are open at the stream', 'The sink tries again.'),
};

/** What JetStream meant by the number of its error. */
export function jetStreamFault(code: number): Fault {
  return (
    byJetStream[code] ?? fault('BACKEND_ERROR', 'JetStream answered with an error that has no place in publishing')
  );
}

/** Any error of the connection, of JetStream, of a socket or of TLS as a SinkError; one that is a SinkError passes through. */
export const natsError: Classifier = createClassifier<NatsReading>({
  sinkType: 'nats',
  server: 'the NATS server',
  specPath: 'spec.nats',
  remedies: {
    refused: 'Check spec.nats.servers, that the servers run, and that they let this process in.',
    'no-tls':
      'Set spec.nats.tls.handshakeFirst as the server is set, or spec.nats.tls.mode to disable where the network is trusted.',
  },
  read: ({ natsFailure, jetStream }) => ({
    failure: natsFailure,
    jetStream,
    ...(typeof jetStream === 'number' ? { shown: [`JetStream error ${jetStream}`] } : {}),
  }),
  rules: [
    ({ jetStream }) => (typeof jetStream === 'number' ? jetStreamFault(jetStream) : undefined),
    ({ failure }) => (isKind(failure) ? byFailure[failure] : undefined),
  ],
});

function isKind(failure: unknown): failure is NatsFailureKind {
  return typeof failure === 'string' && Object.hasOwn(byFailure, failure);
}
