import { describe, expect, test } from '@jest/globals';
import { fuzz, damage, fuzzTimeoutMs, type Random } from '../../../core/src/contract/fuzz.fixture.ts';
import { inventorySpec, kafkaSpec, postgresSpec, resource, targetSpec } from '../resources/resources.fixture.ts';
import { createAdmissionHandler } from './admission-handler.ts';
import { registry } from './registry.fixture.ts';
import { review } from './reviews.fixture.ts';

const handle = createAdmissionHandler({ registry });
const reviewText = (spec: string): string =>
  JSON.stringify(review('KollectSink', 'SPEC')).replace('"SPEC"', () => spec);
const keys = (count: number, name = 'k'): string =>
  `{${Array.from({ length: count }, (_, index) => `"${name}${String(index)}":1`).join(',')}}`;
const many = (count: number, value: string): readonly (readonly [string, string])[] =>
  Array.from({ length: count }, (_, index) => [`k${String(index)}`, value]);
const deep = (levels: number, open = '{"a":', close = '}'): string => `${open.repeat(levels)}1${close.repeat(levels)}`;
const block = (type: string, fields: string): string => `{"type":"${type}","${type}":${fields}}`;
const unreadable = 'The AdmissionReview cannot be read';

/** Texts over which an expression that goes back and forth takes the square of their length. */
const slow = ['://a:', 'password', 'key', '%3a', '-eyJaaaaaaaaaaaa', 'a.', '-----BEGIN ', ' ', 'a@', '[', '\\', 'x'];

describe('whatever comes is answered, and nothing larger is walked', () => {
  const hugeText = JSON.stringify('x'.repeat(2_900_000));
  const cases: readonly (readonly [title: string, given: unknown, message: string])[] = [
    ['a million keys as the spec', reviewText(keys(1_000_000)), unreadable],
    ['a million keys as the headers', reviewText(block('kafka', `{"headers":${keys(1_000_000)}}`)), unreadable],
    ['30 000 keys', reviewText(keys(30_000)), unreadable],
    ['19 000 keys', reviewText(keys(19_000)), 'holds too many values'],
    ['10 000 levels', reviewText(deep(10_000)), 'holds too many objects in each other'],
    ['10 000 levels in a block', reviewText(block('kafka', deep(10_000))), 'holds too many objects in each other'],
    ['10 000 levels of lists', reviewText(deep(10_000, '[', ']')), 'holds too many objects in each other'],
    ['a million levels', reviewText(deep(1_000_000)), unreadable],
    ['a text of 2.9 MB', reviewText(block('kafka', `{"topic":${hugeText}}`)), 'holds a text that is too long'],
    ['a type of 2.9 MB', reviewText(`{"type":${hugeText}}`), 'holds a text that is too long'],
    ['a name of 2.9 MB', reviewText(`{"${'x'.repeat(2_900_000)}":1}`), 'holds a text that is too long'],
    ['4 MB', reviewText(JSON.stringify('x'.repeat(4_000_000))), unreadable],
    [
      'much text',
      reviewText(JSON.stringify(Array.from({ length: 20 }, () => 'x'.repeat(10_000)))),
      'holds too much text',
    ],
    ['4 000 fields that are nearly known', reviewText(block('kafka', keys(4_000, 'brokrs'))), 'more.'],
    ['4 000 blocks', reviewText(keys(4_000, 'kafkx').replace('{', '{"type":"kafka",')), 'does not belong here'],
    [
      '4 000 headers with two lines',
      review('KollectSink', {
        ...kafkaSpec,
        kafka: { ...kafkaSpec.kafka, headers: Object.fromEntries(many(4_000, 'a\nb')) },
      }),
      'more.',
    ],
    [
      '4 000 keys of a Secret',
      review('KollectSink', { ...kafkaSpec, secretRef: { name: 'a', keys: Object.fromEntries(many(4_000, 'a')) } }),
      'at most 64',
    ],
    [
      '4 000 attributes',
      review('KollectTarget', { ...targetSpec, attributes: Object.fromEntries(many(4_000, 'spec [')) }),
      'at most 64',
    ],
    [
      '4 000 labels',
      review('KollectTarget', { ...targetSpec, labelSelector: { matchLabels: Object.fromEntries(many(4_000, '-')) } }),
      'at most 64',
    ],
    ...slow.flatMap((part): [string, unknown, string][] => {
      const long = part.repeat(Math.floor(8_000 / part.length));
      const eight = Array.from({ length: 8 }, () => long);
      return [
        [
          `${part} again and again in headers`,
          review('KollectSink', {
            ...kafkaSpec,
            kafka: { ...kafkaSpec.kafka, headers: Object.fromEntries(eight.entries()) },
          }),
          '',
        ],
        [
          `${part} again and again in brokers`,
          review('KollectSink', { ...kafkaSpec, kafka: { ...kafkaSpec.kafka, brokers: eight } }),
          '',
        ],
        [`${part} again and again as a type`, review('KollectSink', { type: long.repeat(2), [long]: eight }), ''],
        [
          `${part} again and again in certificates`,
          review('KollectSink', { ...kafkaSpec, ca: { bundle: part.repeat(Math.floor(260_000 / part.length)) } }),
          '',
        ],
        [
          `${part} again and again as an attribute`,
          review('KollectTarget', { ...targetSpec, attributes: Object.fromEntries(eight.entries()) }),
          '',
        ],
      ];
    }),
  ];
  const times: (readonly [ms: number, title: string])[] = [];
  test.each(cases)('%s', (title, given, message) => {
    // Of this process alone: others may keep the machine busy.
    const start = process.cpuUsage();
    const { response } = handle(given);
    const { user, system } = process.cpuUsage(start);
    times.push([(user + system) / 1_000, title]);
    expect(response.uid).toBe('r-1');
    if (message !== '') expect(response.status?.message).toContain(message);
    expect(JSON.stringify(response).length).toBeLessThan(5_000);
  });
  test('how much time of a processor they took', () => {
    const slowest = times.toSorted(([a], [b]) => b - a).slice(0, 5);
    console.log(slowest.map(([ms, title]) => `${ms.toFixed(1)} ms: ${title.slice(0, 60)}`).join('\n'));
    expect(times).toHaveLength(cases.length);
  });
});

test.each<[string, unknown, string]>([
  ['nothing', undefined, ''],
  ['null', 'null', ''],
  ['a number', 5, ''],
  ['a list', [], ''],
  ['an empty text', '', ''],
  ['no JSON', '{"request":{"uid":"u-2","kind"', 'u-2'],
  ['no request', {}, ''],
  ['a request that is a list', { request: [] }, ''],
  ['a uid that is an object', { request: { uid: {} } }, ''],
  ['a uid of a megabyte', { request: { uid: 'x'.repeat(1_000_000) } }, ''],
  ['no object', review('KollectSink', {}, { object: null }), 'r-1'],
  ['an object that is a text', review('KollectSink', {}, { object: 'x' }), 'r-1'],
])('a review that is %s is refused', (_, given, uid) => {
  expect(handle(given).response).toMatchObject({ uid, allowed: false, status: { code: 422, reason: 'Invalid' } });
});

test('what throws when it is read is refused', () => {
  const trap = new Proxy(
    {},
    {
      get: () => {
        throw new Error('geheim');
      },
      ownKeys: () => {
        throw new Error('geheim');
      },
    },
  );
  for (const given of [
    trap,
    { request: trap },
    review('KollectSink', trap),
    review('KollectSink', { type: 'kafka', kafka: trap }),
  ]) {
    const answer = handle(given);
    expect(answer.response.allowed).toBe(false);
    expect(JSON.stringify(answer)).not.toContain('geheim');
  }
});

const values = [
  null,
  true,
  0,
  -1,
  1e308,
  '',
  'a',
  [],
  {},
  [[]],
  { a: { b: [] } },
  'x'.repeat(300),
  '\u0000',
  '__proto__',
  'constructor',
  '\ud800',
] as const;
const fields = [
  'type',
  'kafka',
  'postgres',
  'brokers',
  'topic',
  'headers',
  'ca',
  'bundle',
  'secretRef',
  'delivery',
  'sinkRefs',
  'resources',
  '__proto__',
  'toString',
] as const;

function anything(random: Random, depth: number): unknown {
  if (depth === 0 || random(3) === 0) return values[random(values.length)];
  if (random(4) === 0) return Array.from({ length: random(4) }, () => anything(random, depth - 1));
  return Object.fromEntries(
    Array.from({ length: random(5) }, () => [fields[random(fields.length)], anything(random, depth - 1)]),
  );
}

test(
  'whatever the spec is, and whatever bytes come',
  async () => {
    const specs = {
      KollectSink: [kafkaSpec, postgresSpec],
      KollectInventory: [inventorySpec],
      KollectTarget: [targetSpec],
      KollectProfile: [{}],
      KollectConnectionTest: [{}],
    };
    await fuzz(5_000, (random) => {
      const kinds = Object.keys(specs) as (keyof typeof specs)[];
      const kind = kinds[random(kinds.length)] ?? 'KollectSink';
      const known = specs[kind][random(specs[kind].length)] ?? {};
      const spec =
        random(2) === 0
          ? anything(random, 4)
          : { ...known, [fields[random(fields.length)] ?? '']: anything(random, 3) };
      const given = review(kind, spec, random(4) === 0 ? { operation: 'UPDATE', oldObject: anything(random, 3) } : {});
      expect(handle(given).response.uid).toBe('r-1');
      const { response } = handle(
        damage(Buffer.from(JSON.stringify({ ...given, oldObject: resource(kind, spec) })), random),
      );
      expect(typeof response.allowed).toBe('boolean');
    });
  },
  fuzzTimeoutMs,
);
