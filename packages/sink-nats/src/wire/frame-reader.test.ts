import { expect, test } from '@jest/globals';
import { fuzz, fuzzTimeoutMs } from '../../../core/src/contract/fuzz.fixture.ts';
import { createFrameReader, type Frame } from './frame-reader.ts';
import { decodeHeaders, headerBytes, headerText } from './headers.ts';

const limits = { maxLineBytes: 100, maxMessageBytes: 1000 };

function read(chunks: readonly (string | Uint8Array)[]): string[] {
  const frames: string[] = [];
  const show = (frame: Frame): string =>
    frame.kind === 'line'
      ? frame.text
      : `${frame.subject} ${Buffer.from(frame.headers).toString('latin1')}|${Buffer.from(frame.body).toString('latin1')}`;
  const push = createFrameReader(limits, (frame) => frames.push(show(frame)));
  for (const chunk of chunks) push(Buffer.from(chunk));
  return frames;
}

const stream = 'INFO {}\r\nMSG a.b 1 3\r\nx\r\n\r\nHMSG a 1 reply 2 5\r\nhhbbb\r\nPING\r\nMSG e 1 0\r\n\r\n';
const frames = ['INFO {}', 'a.b |x\r\n', 'a hh|bbb', 'PING', 'e |'];

test('lines and messages', () => {
  expect(read([stream])).toEqual(frames);
});

test(
  'however they are cut',
  async () => {
    await fuzz(200, (random) => {
      const chunks: string[] = [];
      for (let rest = stream; rest !== '';) {
        const size = 1 + random(20);
        chunks.push(rest.slice(0, size));
        rest = rest.slice(size);
      }
      expect(read(chunks)).toEqual(frames);
    });
  },
  fuzzTimeoutMs,
);

test.each([
  ['a line without end', 'x'.repeat(101)],
  ['a size that is none', 'MSG a 1 x\r\n'],
  ['a size below zero', 'MSG a 1 -1\r\n'],
  ['a size that is too large', 'MSG a 1 1001\r\n'],
  ['headers larger than the whole', 'HMSG a 1 6 5\r\n'],
  ['a payload that goes on', 'MSG a 1 2\r\nabc\r\n'],
  ['no subscription', 'MSG 5\r\n'],
])('%s is refused', (_, text) => {
  expect(() => read([text])).toThrow('NATS');
});

test(
  'of any bytes nothing but frames or an error of ours comes out',
  async () => {
    const words = ['MSG ', 'HMSG ', 'INFO ', '-ERR ', 'PING', '\r\n', ' ', '1', '99', '{', '\0', 'a.b', 'é'];
    await fuzz(300, (random) => {
      const chunks = Array.from({ length: random(30) }, () =>
        random(3) === 0
          ? Uint8Array.from({ length: random(20) }, () => random(256))
          : (words[random(words.length)] ?? ''),
      );
      try {
        read(chunks);
      } catch (error) {
        expect(error).toHaveProperty('natsFailure');
      }
    });
  },
  fuzzTimeoutMs,
);

test('headers: what is encoded is decoded, and counted', () => {
  const headers = { 'kollect.dev/cluster': 'eu%20west', 'content-type': 'application/json', a: 'b:c' };
  const bytes = Buffer.from(headerText([headers]));
  expect(bytes.length).toBe(headerBytes(headers));
  const { get, status } = decodeHeaders(bytes);
  expect([...Object.keys(headers).map(get), get('other'), status]).toEqual([
    ...Object.values(headers),
    undefined,
    undefined,
  ]);
  expect(decodeHeaders(Buffer.from('NATS/1.0 503\r\n\r\n')).status).toBe(503);
  expect(decodeHeaders(Buffer.from('nonsense')).get('nonsense')).toBeUndefined();
});
