import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { memorySink, type SinkDefinition } from '@kollect/core';
import { createKafkaSink, kafkajsClient } from '@kollect/sink-kafka';
import { platformaticClient } from '@kollect/sink-kafka/platformatic';
import { natsSink } from '@kollect/sink-nats';
import { postgresDdl, postgresSink } from '@kollect/sink-postgres';
import { fileSink } from '../../examples/file-sink/src/file-sink.ts';
import { fuzzProperty, fuzzTimeoutMs } from '../../packages/core/src/contract/fuzz.fixture.ts';
import { sinkDeliverySchema } from '../../packages/core/src/delivery/delivery-options.ts';
import {
  hiddenInCredentials,
  hiddenInSpec,
  placesOf,
  planted,
  plants,
  seen,
  type Canary,
  type Plant,
} from './plant.ts';
import { watchedRun } from './watched-run.ts';

/** What a sink is made with where nothing is planted: nobody answers it. */
interface Subject {
  readonly name: string;
  readonly definition: SinkDefinition;
  readonly bases: readonly { readonly spec: unknown; readonly credentials?: unknown; readonly tls?: unknown }[];
}

const directory = mkdtemp(join(tmpdir(), 'kollect-canary-'));
afterAll(async () => rm(await directory, { recursive: true, force: true }));

const printed: string[] = [];
beforeEach(() => {
  printed.length = 0;
  for (const stream of [process.stdout, process.stderr])
    jest.spyOn(stream, 'write').mockImplementation((text) => {
      printed.push(String(text));
      return true;
    });
  for (const level of ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const)
    jest.spyOn(console, level).mockImplementation((...texts) => void printed.push(...texts.map(String)));
});
afterEach(() => void jest.restoreAllMocks());

const kafkaTimes = { connectTimeout: '100ms', requestTimeout: '100ms', deliveryTimeout: '150ms' };
const brokers = ['127.0.0.1:1'];
const login = { username: 'collector', password: 'not-planted' };
const kafkaBases: Subject['bases'] = [
  { spec: { brokers, topic: 'inventory', ...kafkaTimes } },
  {
    spec: { brokers: ['refused.example:1'], topic: 'inventory', tls: {}, sasl: { mechanism: 'plain' }, ...kafkaTimes },
    credentials: login,
  },
  {
    spec: { brokers, topic: 'inventory', tls: {}, sasl: { mechanism: 'oauthbearer' }, ...kafkaTimes },
    credentials: { token: 'not-planted' },
  },
];

function subjects(files: string): readonly Subject[] {
  return [
    {
      name: 'postgres',
      definition: postgresSink,
      bases: [
        {
          spec: { database: 'inventory', table: 'items', tls: { mode: 'disable' }, connectTimeout: '200ms' },
          credentials: { ...login, host: '127.0.0.1', port: '1' },
        },
        {
          spec: { database: 'inventory', table: 'items', connectTimeout: '200ms' },
          credentials: { dsn: 'postgresql://collector:not-planted@refused.example:1/inventory' },
        },
      ],
    },
    {
      name: 'kafkajs',
      definition: createKafkaSink({ client: kafkajsClient }),
      bases: kafkaBases,
    },
    {
      name: 'platformatic',
      definition: createKafkaSink({ client: platformaticClient }),
      bases: kafkaBases,
    },
    {
      name: 'nats',
      definition: natsSink,
      bases: [
        { spec: { servers: brokers, stream: 'inventory', ...kafkaTimes } },
        { spec: { servers: ['refused.example:1'], stream: 'inventory', tls: {}, ...kafkaTimes }, credentials: login },
        { spec: { servers: brokers, stream: 'inventory', ...kafkaTimes }, credentials: { token: 'not-planted' } },
      ],
    },
    { name: 'memory', definition: memorySink(), bases: [{ spec: {} }] },
    { name: 'file', definition: fileSink({ directory: files }), bases: [{ spec: {} }] },
  ];
}

const delivery = { attemptTimeout: '1s', deadline: '1s', abortGrace: '200ms', retry: { retries: 0 } };

const credentialPlaces = [
  'dsn',
  'username',
  'password',
  'host',
  'port',
  'token',
  'creds',
  'nkey',
  'jwt',
  'seed',
  '?',
].map((name) => [name]);

test.each(['postgres', 'kafkajs', 'platformatic', 'nats', 'memory', 'file'])(
  'whatever %s is given, no message, log line, metric, trace or error holds what may be a secret',
  async (name) => {
    const subject = subjects(await directory).find((one) => one.name === name) as Subject;
    const { definition, bases } = subject;
    const { type, credentialFields = [] } = definition;
    const some = (places: readonly (readonly string[])[], most: number): fc.Arbitrary<Plant[]> =>
      fc.array(plants(places), { maxLength: most });
    const inputs = fc.record({
      base: fc.constantFrom(...bases),
      inSpec: some(placesOf(definition.specSchema), 2),
      inConfig: some([['type'], ['?'], [type]], 1),
      inCredentials: some(credentialPlaces, 2),
      inTls: some([['ca'], ['cert'], ['key'], ['?']], 1),
      inDelivery: some(placesOf(sinkDeliverySchema), 1),
      which: fc.constantFrom('spec', 'credentials', 'tls', 'config', 'delivery', 'all'),
    });
    const met = new Set<string>();
    await fuzzProperty(
      fc.asyncProperty(inputs, async ({ base, which, ...given }) => {
        const chosen = (part: string, all: readonly Plant[]): readonly Plant[] =>
          which === part || which === 'all' ? all : [];
        const spec = chosen('spec', given.inSpec);
        const config = chosen('config', given.inConfig);
        const credentials = chosen('credentials', given.inCredentials);
        const tls = chosen('tls', given.inTls);
        const ofDelivery = chosen('delivery', given.inDelivery);
        const plant = (block: unknown, all: readonly Plant[]): unknown =>
          all.reduce((into, { place, value }) => planted(into, place, value), block);
        const hidden: Canary[] = [
          ...[...spec, ...config, ...ofDelivery].flatMap((one) => hiddenInSpec(one) ?? []),
          ...[...credentials, ...tls].flatMap((one) => hiddenInCredentials(one, credentialFields) ?? []),
        ];
        const block = plant(base.spec, spec);
        const values = { credentials: plant(base.credentials, credentials), tls: plant(base.tls, tls) };
        const told = await watchedRun(definition, {
          name: 'portal',
          config: plant({ type, [type]: block }, config),
          connection: Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)),
          delivery: plant(delivery, ofDelivery),
        });
        for (const text of told) for (const [word] of text.matchAll(/[A-Z_]{6,}|'applied'/gu)) met.add(word);
        if (type === 'postgres') told.push(...(await ddlTexts(block)));
        told.push(...printed.splice(0));
        const leaks = told.flatMap((text) => seen(hidden, text).map(({ where }) => ({ where, text })));
        expect(leaks).toEqual([]);
      }),
      name.startsWith('kafka') || name.startsWith('platform') ? 40 : 150,
    );
    // One that never got as far would prove nothing of what comes after.
    const reached = bases.length > 1 ? ['SPEC_INVALID', 'UNAVAILABLE'] : ['SPEC_INVALID', "'applied'"];
    expect([...met]).toEqual(expect.arrayContaining(reached));
  },
  4 * fuzzTimeoutMs,
);

async function ddlTexts(spec: unknown): Promise<string[]> {
  try {
    void postgresDdl(spec as never);
    return [];
  } catch (error) {
    return [String((error as Error).stack)];
  }
}
