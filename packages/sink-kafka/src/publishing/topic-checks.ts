import { SinkError, type SinkErrorCode } from '@kollect/core';
import { showText, type Finding } from '@kollect/core/authoring';
import type { TopicDescription } from '../kafka-client.ts';
import type { ResolvedKafkaSpec } from '../kafka-spec.ts';
import { isCompacted } from './topic-state.ts';

/** The topic as it is; absent where the first export makes it. */
export interface FoundTopic {
  readonly description?: TopicDescription;
}

/** The topic is there and each partition has a leader, or the sink may make it. */
export function checkTopic(
  { topic, newTopic }: ResolvedKafkaSpec,
  description: TopicDescription | undefined,
): Finding<FoundTopic> {
  if (description === undefined) {
    if (newTopic !== undefined)
      return { found: `The topic ${showText(topic)} does not exist; the first export makes it.`, value: {} };
    throw new SinkError('NOT_FOUND', `The topic ${showText(topic)} does not exist.`, { sinkType: 'kafka' });
  }
  const { partitions } = description;
  const found = `The topic ${showText(topic)} has ${count(partitions.length, 'partition')}.`;
  const leaderless = partitions.filter(({ leader }) => leader < 0);
  if (leaderless.length === 0) return { found, value: { description } };
  const remedy = 'Bring the brokers back: inventories whose key belongs to such a partition cannot be published.';
  return {
    found: `${found} ${count(leaderless.length, 'partition')} without a leader.`,
    value: { description },
    warning: { code: 'UNAVAILABLE', remedy },
  };
}

/** What the broker says of our permissions, where it does. */
export function checkPermission({ topic }: ResolvedKafkaSpec, { description }: FoundTopic): Finding<true> {
  if (description === undefined) return { found: 'Nothing to ask before the topic is made.', value: true };
  const { authorizedOperations } = description;
  if (authorizedOperations === undefined) {
    const remedy = 'Make sure that the user has WRITE on the topic; the first export will tell.';
    return {
      found: 'The broker does not say what the user may do.',
      value: true,
      warning: { code: 'PERMISSION_DENIED', remedy },
    };
  }
  if (authorizedOperations.includes('WRITE'))
    return { found: `The user may write to ${showText(topic)}.`, value: true };
  throw new SinkError(
    'PERMISSION_DENIED',
    `The user may not write to the topic ${showText(topic)}: WRITE is missing.`,
    {
      sinkType: 'kafka',
    },
  );
}

/** The topic takes what the sink sends, or would without compression. */
export function checkSize({ maxMessageBytes, compression }: ResolvedKafkaSpec, topic: FoundTopic): Finding<true> {
  if (topic.description === undefined)
    return { found: 'As the brokers are set, or newTopic.configs say.', value: true };
  const limit = Number(configsOf(topic)['max.message.bytes'] ?? Number.NaN);
  if (Number.isNaN(limit))
    return unknown('max.message.bytes', `it should be ${maxMessageBytes} or more, as maxMessageBytes is`);
  const found = `max.message.bytes of the topic is ${limit}, maxMessageBytes of the sink is ${maxMessageBytes}`;
  if (maxMessageBytes <= limit) return { found: `${found}.`, value: true };
  const hope =
    compression === 'none'
      ? 'Larger messages will be refused'
      : 'Messages that compression does not make small enough will be refused';
  const remedy = `${hope}: lower maxMessageBytes to ${limit} or less, or raise max.message.bytes of the topic to ${maxMessageBytes} or more.`;
  return {
    found: `${found}: the sink may send more than the topic takes.`,
    value: true,
    warning: { code: 'PAYLOAD_TOO_LARGE', remedy },
  };
}

/** What an acknowledgement is worth: replicas, min.insync.replicas and unclean elections against acks. */
export function checkDurability({ acks }: ResolvedKafkaSpec, topic: FoundTopic): Finding<true> {
  if (topic.description === undefined) return { found: 'The brokers decide when the topic is made.', value: true };
  const replicas = Math.min(...topic.description.partitions.map((partition) => partition.replicas.length));
  const inSync = Math.min(...topic.description.partitions.map((partition) => partition.inSyncReplicas.length));
  const configs = configsOf(topic);
  const configured = configs['min.insync.replicas'];
  const unclean = configs['unclean.leader.election.enable'];
  const found = [
    `${count(replicas, 'replica')} of each partition`,
    `${inSync} in sync`,
    `min.insync.replicas ${configured ?? 'unknown'}`,
    `unclean.leader.election.enable ${unclean ?? 'unknown'}`,
    `acks ${acks}`,
  ];
  const least = Number(configured ?? 1);
  const replication = ((): string | undefined => {
    if (acks !== 'all')
      return 'Set acks to all: an acknowledged event is lost when the leader fails before the others have it.';
    if (least > replicas)
      return (
        `Add replicas, or lower min.insync.replicas to ${replicas} or less: of the brokers,` +
        ` some take no export where more must be in sync than there are, and others, as Kafka 4.3.1, ask for as many as there are.`
      );
    if (inSync < least) return 'Bring the brokers back: no export succeeds before, for too few replicas are in sync.';
    if (replicas === 1) return 'Use three replicas: an acknowledged event is lost with the disk of its only broker.';
    if (configured !== undefined && least < 2)
      return 'Set min.insync.replicas to 2: an event that one replica alone acknowledged is lost with it.';
    return undefined;
  })();
  const election =
    unclean === 'true' && replicas > 1
      ? 'Set unclean.leader.election.enable of the topic to false: a replica that lags may become the leader, and forgets acknowledged events.'
      : undefined;
  return findingOf(`${found.join(', ')}.`, 'UNAVAILABLE', [replication, election]);
}

/** A topic that forgets sooner than this misses inventories that are exported less often. */
const shortRetentionMs = 86_400_000;

/** Compaction keeps the last message of a key, which of a document in parts is not enough; deletion keeps none for ever. */
export function checkCleanup({ maxMessageBytes }: ResolvedKafkaSpec, topic: FoundTopic): Finding<true> {
  const configs = configsOf(topic);
  const policy = configs['cleanup.policy'];
  if (policy === undefined) {
    return topic.description === undefined
      ? { found: 'As the brokers are set.', value: true }
      : unknown(
          'cleanup.policy',
          'on a compacted topic a snapshot that needs several messages is lost but for its last',
        );
  }
  const compacted = isCompacted(configs) === true;
  const retention = policy.includes('delete') ? configs['retention.ms'] : undefined;
  const found = [
    `cleanup.policy is ${policy}${compacted ? ', which keeps the last message of each inventory' : ''}`,
    ...(retention === undefined ? [] : [`retention.ms is ${retention}`]),
  ];
  const retentionMs = Number(retention ?? -1);
  return findingOf(`${found.join('; ')}.`, compacted ? 'PAYLOAD_TOO_LARGE' : 'SCHEMA_MISMATCH', [
    compacted
      ? `Snapshots that need more than one message of ${maxMessageBytes} bytes will be refused:` +
        ` raise maxMessageBytes with max.message.bytes of the topic, or use cleanup.policy delete.`
      : undefined,
    retentionMs >= 0 && retentionMs < shortRetentionMs
      ? `Raise retention.ms of the topic from ${retentionMs} to ${shortRetentionMs} or more, or compact the topic:` +
        ` a new consumer misses every inventory that was not exported within that time.`
      : undefined,
  ]);
}

/** What waits no longer than this for its export is taken. */
const shortDelayMs = 86_400_000;

/** Times and compression of the messages stay as the sink makes them. */
export function checkMessages({ compression }: ResolvedKafkaSpec, topic: FoundTopic): Finding<true> {
  if (topic.description === undefined)
    return { found: 'As the brokers are set, or newTopic.configs say.', value: true };
  const configs = configsOf(topic);
  const type = configs['message.timestamp.type'];
  const codec = configs['compression.type'];
  if (type === undefined && codec === undefined)
    return unknown('message.timestamp.type', 'it should be CreateTime, and compression.type producer');
  const before = configs['message.timestamp.before.max.ms'];
  const beforeMs = Number(before ?? Infinity);
  const found = [
    `message.timestamp.type is ${type ?? 'unknown'}`,
    ...(before === undefined ? [] : [`message.timestamp.before.max.ms ${before}`]),
    `compression.type ${codec ?? 'unknown'}`,
  ];
  const sent = compression === 'none' ? 'uncompressed' : compression;
  return findingOf(`${found.join(', ')}.`, 'SCHEMA_MISMATCH', [
    type === undefined || type === 'CreateTime'
      ? undefined
      : `Set message.timestamp.type of the topic to CreateTime: with ${type} the time of a message is that of its arrival, and not exportedAt.`,
    beforeMs < shortDelayMs
      ? `Raise message.timestamp.before.max.ms of the topic from ${beforeMs} to ${shortDelayMs} or more: a snapshot that waited` +
        ` longer, as while the brokers were away, is refused.`
      : undefined,
    codec === undefined || codec === 'producer' || codec === sent
      ? undefined
      : `Set compression.type of the topic to producer: the broker compresses anew, as ${codec}, what the sink sends as ${sent}.`,
  ]);
}

function findingOf(found: string, code: SinkErrorCode, remedies: readonly (string | undefined)[]): Finding<true> {
  const remedy = remedies.filter((each) => each !== undefined).join(' ');
  return { found, value: true, ...(remedy === '' ? {} : { warning: { code, remedy } }) };
}

function configsOf({ description }: FoundTopic): Readonly<Record<string, string>> {
  return description?.configs ?? {};
}

function unknown(setting: string, why: string): Finding<true> {
  const remedy = `Grant DESCRIBE_CONFIGS on the topic, or look yourself: ${why}.`;
  return {
    found: `The broker does not say what ${setting} of the topic is.`,
    value: true,
    warning: { code: 'PERMISSION_DENIED', remedy },
  };
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
