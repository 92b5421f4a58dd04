import { createRequire } from 'node:module';
import { describe, expect, test } from '@jest/globals';
import { damage, fuzz, fuzzTimeoutMs, type Random } from '../../../core/src/contract/fuzz.fixture.ts';
import { ProtocolFault } from './protocol-fault.ts';
import { createServerMessages, messageLimits, type ServerMessages } from './server-messages.ts';

const i16 = (...numbers: number[]): Buffer => {
  const bytes = Buffer.alloc(2 * numbers.length);
  for (const [index, number] of numbers.entries()) bytes.writeInt16BE(number, 2 * index);
  return bytes;
};
const i32 = (...numbers: number[]): Buffer => {
  const bytes = Buffer.alloc(4 * numbers.length);
  for (const [index, number] of numbers.entries()) bytes.writeInt32BE(number, 4 * index);
  return bytes;
};
const text = (...texts: string[]): Buffer => Buffer.from(texts.map((one) => `${one}\0`).join(''));

function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), i32(body.length + 4), body]);
}

const ready = message('Z', Buffer.from('I'));
const accepted = message('R', i32(0));
const login = Buffer.concat([
  message('R', i32(10), text('SCRAM-SHA-256', '')),
  message('R', i32(11), Buffer.from('r=abc,s=QUJD,i=4096')),
  message('R', i32(12), Buffer.from('v=abc')),
  accepted,
  message('S', text('server_version', '18.4')),
  message('K', i32(7, 9)),
  ready,
]);
const columns = (...names: string[]): Buffer =>
  message(
    'T',
    i16(names.length),
    ...names.flatMap((name) => [text(name), i32(0), i16(0), i32(25), i16(-1), i32(-1), i16(0)]),
  );
const row = (...values: (string | null)[]): Buffer =>
  message(
    'D',
    i16(values.length),
    ...values.flatMap((value) => (value === null ? [i32(-1)] : [i32(Buffer.byteLength(value)), Buffer.from(value)])),
  );
const complete = message('C', text('SELECT 2'));
const failed = message('E', text('SERROR', 'C42P01', 'Mno such table'), Buffer.from('\0'));
const answer = Buffer.concat([
  message('1'),
  message('2'),
  columns('a', 'b'),
  row('x', null),
  row('', 'käse'),
  complete,
  message('N', text('SNOTICE', 'Mhello'), Buffer.from('\0')),
  message('A', i32(7), text('channel', 'payload')),
  ready,
  failed,
  ready,
  message('G', Buffer.from([1]), i16(2, 1, 1)),
  message('I'),
  ready,
]);

function loggedIn(): ServerMessages {
  const messages = createServerMessages();
  messages.receive(login);
  messages.sent(100);
  return messages;
}

/** What was found wrong with it. */
function faultOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ProtocolFault) return `${error.fault.code}: ${error.fault.what}`;
    throw error;
  }
  return 'nothing';
}

test(
  'what a server says passes as it is, in messages that are whole, however it is cut',
  async () => {
    await fuzz(200, (random) => {
      const messages = createServerMessages();
      const passed: Buffer[] = [];
      for (const part of [login, answer.subarray(0, answer.indexOf(ready) + ready.length)]) {
        for (const chunk of chunksOf(part, random)) {
          const whole = messages.receive(chunk);
          // The driver reads it at once; later it may be another message's memory.
          if (whole !== undefined) passed.push(Buffer.from(whole));
        }
        messages.sent(100);
      }
      expect(Buffer.concat(passed).toString('hex')).toBe(
        Buffer.concat([login, answer.subarray(0, answer.indexOf(ready) + ready.length)]).toString('hex'),
      );
      for (const whole of passed) {
        let at = 0;
        while (at < whole.length) at += 1 + whole.readInt32BE(at + 1);
        expect(at).toBe(whole.length);
      }
    });
  },
  fuzzTimeoutMs,
);

function chunksOf(bytes: Buffer, random: Random): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = 1 + random(random(2) === 0 ? 4 : 60);
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

describe('at the login', () => {
  test.each<[string, Buffer, string]>([
    ['another protocol', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), 'BACKEND_ERROR'],
    ['gss', message('R', i32(7)), 'AUTHENTICATION_FAILED: The server asks for a login by the method "gss"'],
    ['sspi', message('R', i32(9)), 'AUTHENTICATION_FAILED: The server asks for a login by the method "sspi"'],
    ['a method nobody knows', message('R', i32(99)), 'AUTHENTICATION_FAILED: The server asks for a login by a method'],
    ['a request cut short', message('R'), 'BACKEND_ERROR'],
    ['md5 without a salt', message('R', i32(5)), 'BACKEND_ERROR'],
    ['mechanisms without an end', message('R', i32(10), Buffer.from('SCRAM-SHA-256')), 'BACKEND_ERROR'],
    ['a challenge before its time', message('R', i32(11), Buffer.from('r=x,s=y,i=1')), 'BACKEND_ERROR'],
    [
      'years of hashing',
      Buffer.concat([
        message('R', i32(10), text('SCRAM-SHA-256', '')),
        message('R', i32(11), Buffer.from('r=a,s=QUJD,i=2147483647')),
      ]),
      'AUTHENTICATION_FAILED: The server asks for more than 1000000 rounds',
    ],
    ['a password asked for twice', Buffer.concat([message('R', i32(3)), message('R', i32(3))]), 'BACKEND_ERROR'],
    ['a key cut short', Buffer.concat([accepted, message('K', i32(1))]), 'BACKEND_ERROR'],
    ['ready before anybody was let in', ready, 'BACKEND_ERROR'],
    ['rows', row('x'), 'BACKEND_ERROR'],
    ['a gigabyte', Buffer.concat([Buffer.from('R'), i32(1_000_000_000)]), 'BACKEND_ERROR'],
    ['a length below four', Buffer.from([0x52, 0, 0, 0, 3]), 'BACKEND_ERROR'],
  ])('%s is refused', (_, bytes, fault) => {
    expect(faultOf(() => createServerMessages().receive(bytes))).toMatch(new RegExp(`^${fault}`, 'u'));
  });

  test('notices without end are refused', () => {
    const messages = createServerMessages();
    const notice = message('N', text(`M${'x'.repeat(60_000)}`), Buffer.from('\0'));
    expect(faultOf(() => Array.from({ length: 20 }, () => messages.receive(notice)))).toMatch(/^BACKEND_ERROR/u);
  });
});

describe('afterwards', () => {
  test.each<[string, Buffer]>([
    ['a row that counts more columns than it has', message('D', i16(32_767))],
    ['a row whose value ends outside', message('D', i16(1), i32(2 ** 31 - 16), Buffer.from('x'))],
    ['a row with a length below -1', message('D', i16(1), i32(-2))],
    ['a row with more than its columns', message('D', i16(0), Buffer.from('x'))],
    ['a row of fewer than no columns', message('D', i16(-1))],
    ['columns that are not there', message('T', i16(32_767))],
    ['a column without the end of its name', message('T', i16(1), Buffer.from('abc'))],
    ['an error without an end', message('E', Buffer.from('SFATAL'))],
    ['an error without its last byte', message('E', text('SFATAL'))],
    ['a command without the end of its words', message('C', Buffer.from('SELECT'))],
    ['a COPY of columns that are not there', message('G', Buffer.from([0]), i16(32_767))],
    ['a notification without a payload', message('A', i32(7), text('channel'))],
    ['ready in a state nobody knows', message('Z', Buffer.from('X'))],
    ['a message nobody asked for', message('W', Buffer.from([0]), i16(0))],
    ['a type that is none', message('~')],
    ['a login once more', accepted],
    ['a length below four', Buffer.from([0x44, 0, 0, 0, 0])],
    ['a message of a gigabyte', Buffer.concat([Buffer.from('D'), i32(1_000_000_000)])],
  ])('%s is refused', (_, bytes) => {
    expect(faultOf(() => loggedIn().receive(bytes))).toMatch(/^UNAVAILABLE: The server sent /u);
  });

  test('an answer is refused where nobody asked, but for what may come at any time', () => {
    const messages = createServerMessages();
    messages.receive(login);
    messages.receive(message('S', text('TimeZone', 'UTC')));
    expect(faultOf(() => messages.receive(row('x')))).toBe(
      'UNAVAILABLE: The server sent a message that does not belong there',
    );
  });

  test('rows without end are refused, and a long answer may be as long as what was asked', () => {
    const rows = Buffer.concat(Array.from({ length: 1_000 }, () => row('x'.repeat(1_000))));
    const read = (messages: ServerMessages, most: number): number => {
      let bytes = 0;
      try {
        for (; bytes < most; bytes += rows.length) messages.receive(rows);
      } catch {
        return bytes;
      }
      return bytes;
    };
    expect(read(loggedIn(), 2 * messageLimits.answer)).toBeLessThan(messageLimits.answer);
    const messages = createServerMessages();
    messages.receive(login);
    messages.expectLongAnswer();
    messages.sent(20_000_000);
    expect(read(messages, 300_000_000)).toBeGreaterThan(300_000_000 - 1);
    expect(read(messages, 2_000_000_000)).toBeLessThan(900_000_000);
  });

  test('a message that was announced and never sent takes no memory', () => {
    const messages = loggedIn();
    const before = process.memoryUsage().arrayBuffers;
    messages.receive(Buffer.concat([Buffer.from('D'), i32(15_000_000)]));
    for (let sent = 0; sent < 100; sent++) messages.receive(Buffer.from('x'));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });
});

test(
  'whatever bytes come, they are refused or the driver reads them: nothing else is thrown, and nothing goes on for ever',
  async () => {
    const driver = createRequire(createRequire(import.meta.url).resolve('pg'))('pg-protocol/dist/parser') as {
      readonly Parser: new () => { parse(bytes: Buffer, take: (message: object) => void): void };
    };
    const conversation = Buffer.concat([login, answer]);
    let [refused, read] = [0, 0];
    await fuzz(20_000, (random) => {
      const messages = createServerMessages();
      const parser = new driver.Parser();
      const bytes = damage(conversation, random);
      try {
        for (const chunk of chunksOf(bytes, random)) {
          const whole = messages.receive(chunk);
          messages.sent(100);
          if (whole !== undefined) parser.parse(whole, () => (read += 1));
        }
      } catch (error) {
        if (!(error instanceof ProtocolFault)) throw error;
        refused += 1;
      }
    });
    expect([refused > 1_000, read > 1_000]).toEqual([true, true]);
  },
  fuzzTimeoutMs,
);
