import { describe, expect, test } from '@jest/globals';
import type { TopicDescription } from '../kafka-client.ts';
import { kafkaSink } from '../kafka-sink.ts';
import type { KafkaSpec } from '../kafka-spec-schema.ts';
import { checkCleanup, checkDurability, checkPermission, checkSize, checkTopic } from './topic-checks.ts';

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
    for (const check of [checkPermission, checkSize, checkDurability, checkCleanup])
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
    ['more than there are', {}, withMin('2', { replicas: 1 }), /Lower min\.insync\.replicas/],
  ])('%s', (_, more, found, remedy) => {
    const { warning } = checkDurability(spec(more), found);
    if (remedy === undefined) expect(warning).toBeUndefined();
    else expect(warning).toEqual({ code: 'UNAVAILABLE', remedy: expect.stringMatching(remedy) });
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
