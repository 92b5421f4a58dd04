import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { KafkaSpec } from '@kollect/sink-kafka';
import { fuzz, fuzzTimeoutMs } from '../../packages/core/src/contract/fuzz.fixture.ts';
import { openTestTopic, testKafka, type TestTopic } from '../support/kafka.ts';
import { startHostileBroker, type Asked, type HostileBroker, type Reply } from './hostile-broker.ts';
import { damagedReply } from './hostile-damage.ts';

const deadlineMs = 1_500;
/** A process without any of this takes about 110. */
const largestMb = 260;
const heapMb = 96;

interface Seen {
  readonly outcome: string;
  readonly largestMb: number;
}

/** A process of its own, with little memory, that exports when it is told to. */
interface Exporting {
  export(spec: Partial<KafkaSpec>, credentials?: Readonly<Record<string, string>>): Promise<Seen>;
  /** Resolves to how it ended and what it said about it. */
  end(): Promise<string>;
}

function startExporting(client: string): Exporting {
  const fixture = fileURLToPath(new URL('hostile-process.fixture.ts', import.meta.url));
  const flags = [`--max-old-space-size=${heapMb}`, '--disable-warning=ExperimentalWarning'];
  const child = spawn(process.execPath, [...flags, fixture, client, String(deadlineMs)]);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  let complaints = '';
  child.stderr.on('data', (text) => (complaints += String(text)));
  child.stdin.on('error', () => undefined);
  const ended = once(child, 'close').then(([code, signal]) => `${String(code ?? signal)} ${complaints}`.trim());
  return {
    async export(spec, credentials) {
      child.stdin.write(`${JSON.stringify({ spec, credentials })}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`The process ended: ${(await ended).slice(0, 2_000)}`);
      return JSON.parse(value) as Seen;
    },
    end() {
      child.stdin.end();
      return ended;
    },
  };
}

let topic: TestTopic;
beforeAll(async () => {
  topic = await openTestTopic();
});
afterAll(() => topic.drop());

describe.each(['kafkajs', 'platformatic'])('a process through %s', (client) => {
  let broker: HostileBroker;
  let exporting: Exporting;
  beforeEach(async () => {
    broker = await startHostileBroker();
    exporting = startExporting(client);
  });
  afterEach(async () => {
    expect(await exporting.end()).toBe('0');
    await broker.stop();
  });

  const { listeners, users } = testKafka();
  const login = { username: users.admin.username, password: users.admin.password };
  const ways = {
    plaintext: { port: portOf(listeners.plaintext), spec: {}, credentials: undefined },
    sasl: { port: portOf(listeners.sasl), spec: { sasl: { mechanism: 'scram-sha-256' } }, credentials: login },
  } as const;

  const exportBy = async (way: keyof typeof ways): Promise<Seen> => {
    const { spec, credentials } = ways[way];
    const common = { brokers: [broker.address], topic: topic.name, compression: 'none', requestTimeout: '1s' } as const;
    const seen = await exporting.export({ ...common, connectTimeout: '1s', ...spec }, credentials);
    expect(seen.largestMb).toBeLessThan(largestMb);
    return seen;
  };
  const learn = async (way: keyof typeof ways): Promise<void> => {
    broker.learnFrom(ways[way].port);
    expect(await exportBy(way)).toMatchObject({ outcome: 'applied' });
  };

  test(
    'lives, settles each export and keeps its memory, whatever a broker answers',
    async () => {
      await learn('plaintext');
      await learn('sasl');
      await fuzz(25, async (random) => {
        broker.attackWith((asked) => damagedReply(asked, random));
        const { outcome } = await exportBy(random(4) === 0 ? 'sasl' : 'plaintext');
        expect(outcome).not.toContain('no SinkError');
      });
    },
    fuzzTimeoutMs * 3,
  );

  const attacks: Readonly<Record<string, (asked: Asked) => Reply>> = {
    'a length of two thousand million': ({ answer }) => ({ frames: [withInt32(answer, 0, 2 ** 31 - 1)] }),
    'an answer to nothing, again and again': ({ answer }) => ({
      frames: Array.from({ length: 1_000 }, () => withInt32(answer, 4, 2 ** 31 - 1)),
    }),
    'an answer of two bytes': () => ({ frames: [Buffer.from([0, 0, 0, 2, 0, 0])] }),
    'a negative length': ({ answer }) => ({ frames: [withInt32(answer, 0, -1)] }),
    'lengths of thirty million everywhere': ({ answer }) => ({
      frames: [Buffer.concat([answer.subarray(0, 8), ...Array.from({ length: 64 }, () => thirtyMillion)])].map(sized),
    }),
  };
  test.each(Object.entries(attacks))('fails an export that may be tried again on %s', async (_, attack) => {
    await learn('plaintext');
    broker.attackWith(attack);
    const { outcome } = await exportBy('plaintext');
    expect(outcome).toMatch(/^(BACKEND_ERROR|UNAVAILABLE|TIMEOUT): /);
  });
});

const thirtyMillion = withInt32(Buffer.alloc(4), 0, 30_000_000);

function withInt32(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeInt32BE(value, at);
  return copy;
}

function sized(frame: Buffer): Buffer {
  return withInt32(frame, 0, frame.length - 4);
}

function portOf([address = '']: readonly string[]): number {
  return Number(address.split(':').at(-1));
}
