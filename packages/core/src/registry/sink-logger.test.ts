import { expect, test } from '@jest/globals';
import type { DeliveryLogger, LogFields } from '../contract/logger.ts';
import { createSinkLogger } from './sink-logger.ts';

function start() {
  const lines: [level: string, fields: LogFields, message: string][] = [];
  let time = 0;
  const note = (level: string) => (fields: LogFields, message: string) => void lines.push([level, fields, message]);
  const host = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') };
  const logger = createSinkLogger({ logger: host, sink: 'team/events', sinkType: 'kafka', now: () => time });
  return { lines, logger, pass: (ms: number) => (time += ms) };
}

const who = { sink: 'team/events', sinkType: 'kafka' };

test('a line of a client names the sink, and cannot say that it is another', () => {
  const { lines, logger } = start();
  logger.warn({ broker: 'kafka-0:9092', attempt: 2, ok: false, sink: 'team/other' }, 'The connection failed.');
  expect(lines).toEqual([
    ['warn', { broker: 'kafka-0:9092', attempt: 2, ok: false, ...who }, 'The connection failed.'],
  ]);
});

test('a line is one line of bounded length, whatever a client gives', () => {
  const { lines, logger } = start();
  const hostile = logger as unknown as Record<keyof DeliveryLogger, (fields: unknown, message: unknown) => void>;
  hostile.info(
    { ['n'.repeat(1e5)]: 'v\n'.repeat(1e5), deep: { a: 1 }, none: undefined },
    `a\nb\u001b[2J${'x'.repeat(1e6)}`,
  );
  hostile.info(null, { toString: () => 'geheim' });
  hostile.info(Object.fromEntries(Array.from({ length: 1e4 }, (_, index) => [`f${index}`, index])), '');
  const [first, second, third] = lines;
  expect(first?.[2]).toBe(`a\ufffdb\ufffd[2J${'x'.repeat(492)}…`);
  expect(Object.keys(first?.[1] ?? {})).toEqual([`${'n'.repeat(63)}…`, 'sink', 'sinkType']);
  expect(Object.values(first?.[1] ?? {})[0]).toHaveLength(200);
  expect(second).toEqual(['info', who, 'object']);
  expect(Object.keys(third?.[1] ?? {})).toHaveLength(18);
});

test('a client that logs without end is heard sixty times a minute at each level, and what it said beside that is counted', () => {
  const { lines, logger, pass } = start();
  for (let line = 0; line < 1_000; line += 1) logger.error({}, 'again');
  logger.debug({}, 'another level');
  expect(lines).toHaveLength(61);
  pass(60_000);
  logger.error({}, 'later');
  logger.error({}, 'last');
  expect(lines.slice(-2)).toEqual([
    ['error', { dropped: 940, ...who }, 'later'],
    ['error', who, 'last'],
  ]);
});

test.each<[string, () => unknown]>([
  [
    'throws',
    () => {
      throw new Error('disk full');
    },
  ],
  ['rejects', () => Promise.reject(new Error('disk full'))],
])("a host's log that %s harms no client", async (_, fail) => {
  const host = { debug: fail, info: fail, warn: fail, error: fail };
  const logger = createSinkLogger({ logger: host, sink: 'a', sinkType: 'kafka' });
  expect(logger.error({}, 'x')).toBeUndefined();
  await new Promise(setImmediate);
});

test('a field that cannot be read harms no client', () => {
  const { lines, logger } = start();
  const fields = Object.defineProperty({}, 'broker', {
    enumerable: true,
    get: () => {
      throw new Error('gone');
    },
  });
  expect(() => logger.info(fields, 'x')).not.toThrow();
  expect(lines).toEqual([]);
});
