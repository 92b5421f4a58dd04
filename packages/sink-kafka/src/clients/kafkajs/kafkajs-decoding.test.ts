import { expect, test } from '@jest/globals';
import Decoder from 'kafkajs/src/protocol/decoder.js';
import { guardDecoder } from './kafkajs-decoding.ts';

guardDecoder();
const unreadable = expect.objectContaining({ code: 'UNREADABLE_ANSWER' });

function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeInt32BE(value, index * 4);
  return bytes;
}

test('an array has no more elements than there are bytes', () => {
  const decoder = new Decoder(numbers(30_000_000, 1, 2));
  expect(() => decoder.readArray((each) => each.readArray(() => 0))).toThrow(unreadable);
  expect(() => new Decoder(numbers(-2)).readArray(() => 0)).toThrow(unreadable);
});

test('a string does not end before it begins, nor after the answer', () => {
  for (const length of [-2, 9]) {
    const bytes = Buffer.from('..12345678');
    bytes.writeInt16BE(length);
    expect(() => new Decoder(bytes).readString()).toThrow(unreadable);
  }
});

test('what is right reads as before', () => {
  const strings = Buffer.from([0, 0, 0, 3, 0, 2, 104, 105, 255, 255, 0, 0]);
  expect(new Decoder(strings).readArray((each) => each.readString())).toEqual(['hi', null, '']);
  expect(new Decoder(numbers(-1)).readArray(() => 0)).toEqual([]);
});
