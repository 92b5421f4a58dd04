import Decoder from 'kafkajs/src/protocol/decoder.js';
import { unreadableAnswer } from '../broker-frames.ts';

const lengthOfArrayBytes = 4;
const lengthOfStringBytes = 2;
let guarded = false;

/**
 * kafkajs makes room for as many elements as an answer announces, and reads backwards where a string has a negative length: a short answer
 * takes all memory, or is never read to its end. Here such lengths throw. All who use kafkajs in this process share its decoder; to them
 * nothing else changes.
 */
export function guardDecoder(): void {
  if (guarded) return;
  const { prototype } = Decoder;
  const { readArray, readString } = prototype;
  if (typeof readArray !== 'function' || typeof readString !== 'function')
    throw new Error('This kafkajs is built otherwise than 2.2.4; install that version.');
  prototype.readArray = function (reader) {
    checkLength(this, this.buffer.readInt32BE(this.offset), lengthOfArrayBytes);
    return readArray.call(this, reader);
  };
  prototype.readString = function () {
    checkLength(this, this.buffer.readInt16BE(this.offset), lengthOfStringBytes);
    return readString.call(this);
  };
  guarded = true;
}

/** Each element has a byte at least; -1 stands for none at all. */
function checkLength({ buffer, offset }: Decoder, length: number, ownBytes: number): void {
  if (length < -1 || length > buffer.length - offset - ownBytes) throw unreadableAnswer();
}
