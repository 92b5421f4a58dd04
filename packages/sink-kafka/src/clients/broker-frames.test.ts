import { expect, test } from '@jest/globals';
import { createFrameReader, largestAnswerBytes } from './broker-frames.ts';

function frame(text: string): Buffer {
  const bytes = Buffer.from(`....${text}`);
  bytes.writeInt32BE(bytes.length - 4);
  return bytes;
}

function lengthOf(length: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(length);
  return bytes;
}

const answers = [frame('first answer'), frame('2nd.'), frame('x'.repeat(5_000)), frame('last')];
const stream = Buffer.concat(answers);

test.each([1, 2, 3, 4, 5, 7, 19, 100, stream.length])('answers arrive whole from pieces of %s bytes', (size) => {
  const delivered: string[] = [];
  const read = createFrameReader((answer) => delivered.push(answer.toString()));
  for (let at = 0; at < stream.length; at += size) read(stream.subarray(at, at + size));
  expect(delivered).toEqual(answers.map(String));
});

test.each([-1, 0, 3, largestAnswerBytes + 1, 2 ** 31 - 1])('a length of %s is none', (length) => {
  const read = createFrameReader(() => undefined);
  expect(() => read(lengthOf(length))).toThrow(expect.objectContaining({ code: 'UNREADABLE_ANSWER', canRetry: true }));
});

test('a length that comes in pieces, after an answer, is looked at too', () => {
  const delivered: Buffer[] = [];
  const read = createFrameReader((answer) => delivered.push(answer));
  const lie = lengthOf(2 ** 31 - 1);
  read(Buffer.concat([frame('right'), lie.subarray(0, 3)]));
  expect(() => read(lie.subarray(3))).toThrow(expect.objectContaining({ code: 'UNREADABLE_ANSWER' }));
  expect(delivered.map(String)).toEqual([String(frame('right'))]);
});

test('a listener that speaks TLS is told apart', () => {
  const read = createFrameReader(() => undefined);
  expect(() => read(Buffer.from([0x15, 3, 3, 0, 2, 2, 0x46]))).toThrow(
    expect.objectContaining({ code: 'LISTENER_EXPECTS_TLS' }),
  );
});
