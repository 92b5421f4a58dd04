import type { Fault } from '@kollect/core/authoring';
import { fault, refusedLogin } from './faults.ts';

const unavailable = fault('UNAVAILABLE');
const denied = fault('PERMISSION_DENIED');
const loginFailed = fault('AUTHENTICATION_FAILED');
const invalidSpec = fault('SPEC_INVALID');
const backend = fault('BACKEND_ERROR');

const leaderMoved = unavailable(
  'The partition has no leader, or it moved to another broker',
  'The sink asks for the new one.',
);
const noTopic = fault('NOT_FOUND')(
  'The topic does not exist',
  'Create it, correct spec.kafka.topic, or set topicProvisioning to create.',
);
const tooLarge = fault('PAYLOAD_TOO_LARGE')(
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
const badTopicSettings = (what: string): Fault =>
  invalidSpec(what, 'Correct spec.kafka.newTopic, or create the topic yourself.');
const storage = unavailable('The broker cannot write to its disk', 'Look at the log of the broker.');

/** By the code that a broker answers with. */
const byProtocolCode: Readonly<Record<number, Fault>> = {
  [-1]: fault('BACKEND_ERROR', { retryable: true })(
    'The broker met an internal error',
    'The log of the broker tells more.',
  ),
  2: unavailable('The batch was damaged on its way to the broker'),
  3: noTopic,
  5: leaderMoved,
  6: leaderMoved,
  7: fault('TIMEOUT')(
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
  17: invalidSpec(
    'The broker takes no topic of this name',
    'Correct spec.kafka.topic: a name that differs from that of another topic in "." and "_" alone is refused, for both are the same in the names of metrics.',
  ),
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
  32: fault('SNAPSHOT_INVALID')(
    'The broker does not take the time of the record',
    'Compare exportedAt with the clock of the broker, and with message.timestamp.before.max.ms and message.timestamp.after.max.ms of the topic.',
  ),
  33: loginFailed(
    'The broker does not offer the SASL mechanism',
    'Set spec.kafka.sasl.mechanism to one that the listener has enabled.',
  ),
  34: loginFailed(
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
  43: fault('SCHEMA_MISMATCH')(
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
  58: refusedLogin,
  59: lostProducer,
  61: loginFailed('The broker takes no delegation tokens'),
  62: loginFailed('The broker does not know the delegation token'),
  63: loginFailed('The delegation token belongs to somebody else'),
  64: loginFailed('The broker refuses delegation tokens on this connection'),
  65: denied('The user may not use the delegation token'),
  66: loginFailed('The delegation token has expired', 'Renew it.'),
  67: loginFailed('The broker does not take this kind of principal'),
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
  87: fault('SCHEMA_MISMATCH')(
    'The broker refused the record',
    'Compare the settings of the topic with what docs/kafka.md recommends.',
  ),
  89: fault('OVERLOADED')('The user is over its quota', 'Raise the quota, or export less often.'),
  90: lostProducer,
  93: loginFailed('The broker does not take such credentials'),
  97: loginFailed('The broker could not read the principal'),
  100: { ...noTopic, what: 'The topic was deleted', retryable: true },
  103: { ...noTopic, what: 'The topic was deleted and made anew', retryable: true },
  105: lostProducer,
  108: leaderMoved,
  120: unavailable('The transaction was aborted by the broker'),
};

/** What a broker meant by its error code; codes that belong to consumers and to administration alone have no better word. */
export function protocolFault(code: number): Fault {
  return byProtocolCode[code] ?? backend('The broker answered with an error that has no place in publishing');
}
