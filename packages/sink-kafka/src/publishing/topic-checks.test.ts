import { describe, expect, test } from '@jest/globals';
import type { TopicDescription } from '../kafka-client.ts';
import { kafkaSink } from '../kafka-sink.ts';
import type { KafkaSpec } from '../kafka-spec-schema.ts';
import {
  checkCleanup,
  checkDurability,
  checkMessages,
  checkPermission,
  checkSize,
  checkTopic,
} from './topic-checks.ts';

const spec = (more: Partial<KafkaSpec> = {}) => kafkaSink.parseSpec({ brokers: ['a:1'], topic: 'inventory', ...more });

interface Draft {
  readonly replicas?: number;
  readonly inSync?: number;
  readonly leader?: number;
  readonly configs?: Readonly<Record<string, string>>;
}

function topic({ replicas = 3, inSync = replicas, leader = 1, configs }: Draft = {}): {
  readonly description: TopicDescription;
} {
  const ids = (count: number): number[] => Array.from({ length: count }, (_, id) => id);
  const partitions = [0, 1].map((partition) => ({
    partition,
    leader,
    replicas: ids(replicas),
    inSyncReplicas: ids(inSync),
  }));
  return { description: { partitions, ...(configs === undefined ? {} : { configs }) } };
}

describe('the topic', () => {
  test('is there', () => {
    expect(checkTopic(spec(), topic().description)).toEqual({
      found: 'The topic "inventory" has 2 partitions.',
      value: topic(),
    });
  });

  test('is missing, or will be made', () => {
    expect(() => checkTopic(spec(), undefined)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
    const { found, value } = checkTopic(spec({ topicProvisioning: 'create' }), undefined);
    expect(found).toContain('the first export makes it');
    for (const check of [checkPermission, checkSize, checkDurability, checkCleanup, checkMessages])
      expect(check(spec(), value)).not.toHaveProperty('warning');
  });

  test('has partitions without a leader', () => {
    expect(checkTopic(spec(), topic({ leader: -1 }).description)).toMatchObject({
      warning: { code: 'UNAVAILABLE' },
      found: expect.stringContaining('2 partitions without a leader'),
    });
  });
});

describe('permission', () => {
  const having = (authorizedOperations?: readonly string[]) => ({
    description: { ...topic().description, ...(authorizedOperations === undefined ? {} : { authorizedOperations }) },
  });
  test('is there, is missing, or is not told', () => {
    expect(checkPermission(spec(), having(['DESCRIBE', 'WRITE']))).not.toHaveProperty('warning');
    expect(() => checkPermission(spec(), having(['DESCRIBE']))).toThrow(
      expect.objectContaining({ code: 'PERMISSION_DENIED' }),
    );
    expect(checkPermission(spec(), having())).toMatchObject({ warning: { code: 'PERMISSION_DENIED' } });
  });
});

describe('size', () => {
  const limited = (limit: string) => topic({ configs: { 'max.message.bytes': limit } });
  test('fits', () => {
    expect(checkSize(spec({ maxMessageBytes: 2_000 }), limited('2000'))).not.toHaveProperty('warning');
  });

  test.each([
    [
      'none',
      /^Larger messages will be refused: lower maxMessageBytes to 1999 or less, or raise max\.message\.bytes of the topic to 2000 or more\.$/,
    ],
    ['zstd', /^Messages that compression does not make small enough/],
  ] as const)('does not fit, %s: both numbers are told', (compression, remedy) => {
    const { found, warning } = checkSize(spec({ maxMessageBytes: 2_000, compression }), limited('1999'));
    expect(found).toContain('max.message.bytes of the topic is 1999, maxMessageBytes of the sink is 2000');
    expect(warning).toEqual({ code: 'PAYLOAD_TOO_LARGE', remedy: expect.stringMatching(remedy) });
  });

  test('is not told', () => {
    expect(checkSize(spec(), topic())).toMatchObject({ warning: { code: 'PERMISSION_DENIED' } });
  });
});

describe('durability', () => {
  const withMin = (min: string, draft: Draft = {}) => topic({ ...draft, configs: { 'min.insync.replicas': min } });
  test.each<readonly [string, Partial<KafkaSpec>, { readonly description: TopicDescription }, RegExp | undefined]>([
    ['as recommended', {}, withMin('2'), undefined],
    ['min.insync.replicas not told', {}, topic(), undefined],
    ['the leader alone', { acks: 'leader' }, withMin('2'), /Set acks to all/],
    ['one replica', {}, withMin('1', { replicas: 1 }), /Use three replicas/],
    ['one in sync is enough', {}, withMin('1'), /Set min\.insync\.replicas to 2/],
    ['too few in sync', {}, withMin('2', { inSync: 1 }), /Bring the brokers back/],
    ['more than there are', {}, withMin('2', { replicas: 1 }), /Add replicas, or lower min\.insync\.replicas to 1/],
  ])('%s', (_, more, found, remedy) => {
    const { warning } = checkDurability(spec(more), found);
    if (remedy === undefined) expect(warning).toBeUndefined();
    else expect(warning).toEqual({ code: 'UNAVAILABLE', remedy: expect.stringMatching(remedy) });
  });
});

test('durability: a leader that lags is told beside what else is wrong', () => {
  const configs = { 'unclean.leader.election.enable': 'true', 'min.insync.replicas': '2' };
  const { found, warning } = checkDurability(spec(), topic({ configs }));
  expect(found).toContain('unclean.leader.election.enable true');
  expect(warning).toEqual({
    code: 'UNAVAILABLE',
    remedy: expect.stringMatching(/^Set unclean\.leader\.election\.enable of the topic to false/),
  });
  const both = checkDurability(spec(), topic({ configs: { ...configs, 'min.insync.replicas': '1' } })).warning;
  expect(both?.remedy).toMatch(/min\.insync\.replicas to 2.*unclean\.leader\.election/);
});

test.each<readonly [string, Readonly<Record<string, string>>, RegExp | undefined]>([
  ['a short retention', { 'cleanup.policy': 'delete', 'retention.ms': '1000' }, /from 1000 to 86400000 or more/],
  ['the usual one', { 'cleanup.policy': 'delete', 'retention.ms': '604800000' }, undefined],
  ['none', { 'cleanup.policy': 'delete', 'retention.ms': '-1' }, undefined],
  ['a short one of both', { 'cleanup.policy': 'compact,delete', 'retention.ms': '1000' }, /raise max.*Raise retention/],
  [
    'what only compaction leaves',
    { 'cleanup.policy': 'compact', 'retention.ms': '1000' },
    /^Snapshots that need.*delete\.$/,
  ],
])('retention: %s', (_, configs, remedy) => {
  const { warning } = checkCleanup(spec(), topic({ configs }));
  if (remedy === undefined) expect(warning).toBeUndefined();
  else expect(warning?.remedy).toMatch(remedy);
});

describe('messages', () => {
  const usual = { 'message.timestamp.type': 'CreateTime', 'compression.type': 'producer' };
  test.each<readonly [string, Partial<KafkaSpec>, Readonly<Record<string, string>>, RegExp | undefined]>([
    ['as recommended', {}, usual, undefined],
    ['compressed as the sink does', { compression: 'gzip' }, { ...usual, 'compression.type': 'gzip' }, undefined],
    ['not at all on both sides', { compression: 'none' }, { ...usual, 'compression.type': 'uncompressed' }, undefined],
    ['compressed otherwise', {}, { ...usual, 'compression.type': 'gzip' }, /compresses anew, as gzip, .* as zstd\.$/],
    ['times of arrival', {}, { ...usual, 'message.timestamp.type': 'LogAppendTime' }, /to CreateTime/],
    ['old ones refused', {}, { ...usual, 'message.timestamp.before.max.ms': '60000' }, /from 60000 to 86400000/],
    ['none refused', {}, { ...usual, 'message.timestamp.before.max.ms': '9223372036854775807' }, undefined],
    ['not told', {}, {}, /DESCRIBE_CONFIGS/],
  ])('%s', (_, more, configs, remedy) => {
    const { found, warning } = checkMessages(spec(more), topic({ configs }));
    for (const value of Object.values(configs)) expect(found).toContain(value);
    if (remedy === undefined) expect(warning).toBeUndefined();
    else expect(warning?.remedy).toMatch(remedy);
  });
});

describe('cleanup', () => {
  test.each([
    ['delete', undefined],
    ['compact', 'PAYLOAD_TOO_LARGE'],
    ['delete, compact', 'PAYLOAD_TOO_LARGE'],
    [undefined, 'PERMISSION_DENIED'],
  ])('%s: %s', (policy, code) => {
    expect(
      checkCleanup(spec(), topic(policy === undefined ? {} : { configs: { 'cleanup.policy': policy } })).warning?.code,
    ).toBe(code);
  });
});
