import type { NetworkWords, Fault } from '@kollect/core/authoring';
import { protocolFault } from './error-verdicts.ts';
import { fault, refusedLogin } from './faults.ts';

const timedOut = fault('TIMEOUT')('The broker did not answer in time');
const noSense = fault('BACKEND_ERROR', { retryable: true })(
  'What answers at the address does not speak the Kafka protocol',
  'Check spec.kafka.brokers.',
);
const needsTls = fault('TLS_FAILED')(
  'The listener at this port expects TLS',
  'Set spec.kafka.tls, or name a plaintext listener in spec.kafka.brokers.',
);
const noCodec = fault('SPEC_INVALID')(
  'The client cannot compress so',
  'Install the package that docs/kafka.md names, or set spec.kafka.compression to gzip.',
);
const bug = fault('CONTRACT_VIOLATION')(
  'The client of Kafka did not take what the sink gave it',
  'A bug in the sink: please report it.',
);

const listenerSettings = 'Check that spec.kafka.tls and spec.kafka.sasl are what the listener at this port expects.';
const addresses =
  'Check spec.kafka.brokers and, for an address that is not among them, advertised.listeners of the brokers; that the brokers run and let this process in.';

/** How core words a fault of the network, and what to do about it with Kafka: brokers name each other's addresses. */
export const networkWords: NetworkWords = {
  server: 'the broker',
  specPath: 'spec.kafka',
  remedies: {
    refused: addresses,
    unresolved:
      'Check spec.kafka.brokers and, for a host that is not among them, advertised.listeners of the brokers; and the DNS of this process.',
    unreachable: addresses,
    timeout: addresses,
    lost: listenerSettings,
    tls: 'Check CA, client certificate and key, and that the listener at this port speaks TLS.',
    'no-tls':
      'Name a listener with TLS in spec.kafka.brokers, or set spec.kafka.tls.mode to disable where the network is trusted.',
  },
};

/** Codes of `@platformatic/kafka` and of Node. */
const byClientCode: Readonly<Record<string, Fault>> = {
  ERR_INVALID_ARG_TYPE: bug,
  PLT_KFK_AUTHENTICATION: refusedLogin,
  PLT_KFK_TIMEOUT: timedOut,
  LISTENER_EXPECTS_TLS: needsTls,
  PLT_KFK_OUT_OF_BOUNDS: noSense,
  PLT_KFK_UNEXPECTED_CORRELATION_ID: noSense,
  PLT_KFK_UNSUPPORTED_API: protocolFault(35),
  PLT_KFK_UNSUPPORTED_COMPRESSION: noCodec,
  PLT_KFK_USER: bug,
  UNREADABLE_ANSWER: noSense,
};
/** What a client means by a code of its own; undefined where it has none. */
export function clientCodeFault(code: unknown): Fault | undefined {
  return typeof code === 'string' ? byClientCode[code] : undefined;
}

/** What the clients say without a code; kafkajs names its errors. */
const byText: readonly (readonly [RegExp, Fault])[] = [
  [/^KafkaJS(RequestTimeout|LockTimeout|Timeout)|timed? ?out|timeout/i, timedOut],
  [/^KafkaJSSASLAuthenticationError/, refusedLogin],
  [/^KafkaJSNotImplemented/, noCodec],
  [/^KafkaJS(PartialMessage|UnsupportedMagicByte)|out of range|Invalid .*response/i, noSense],
  [/^KafkaJSServerDoesNotSupportApiKey/, protocolFault(35)],
  [
    /^KafkaJSConnection|Connection .*(clos|fail)|Closed connection|not connected|disconnect/i,
    fault('UNAVAILABLE')('The connection to the broker was lost', listenerSettings),
  ],
  [
    /^KafkaJS(BrokerNotFound|(Topic)?MetadataNotLoaded|GroupCoordinatorNotFound|NoBrokerAvailable)/,
    fault('UNAVAILABLE')('The client does not know the broker yet, or no longer'),
  ],
];

/** What a client means by name and message of its error; undefined where they say nothing that is known. */
export function clientTextFault(text: string): Fault | undefined {
  return byText.find(([pattern]) => pattern.test(text))?.[1];
}
