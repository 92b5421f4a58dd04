/** The largest answer that is read: the metadata of one topic with 100 000 partitions is smaller. */
export const largestAnswerBytes = 8 * 1_024 * 1_024;
/** Each answer begins with its length, and then with the number of the request that it belongs to. */
const lengthBytes = 4;
const numberBytes = 4;

/** What a socket is ended with whose broker sent bytes that no broker sends; says nothing of them. */
export function unreadableAnswer(): Error {
  return Object.assign(new Error('The broker sent what the Kafka protocol does not allow'), {
    code: 'UNREADABLE_ANSWER',
    canRetry: true,
  });
}

function expectsTls(): Error {
  return Object.assign(new Error('The listener expects TLS'), { code: 'LISTENER_EXPECTS_TLS' });
}

/**
 * Takes the bytes of one socket as they come and delivers them answer by answer, each with its length in front. Holds no more than one answer,
 * and makes room for what came, not for what is announced; throws where a length cannot be one.
 */
export function createFrameReader(deliver: (answer: Buffer) => void): (chunk: Buffer) => void {
  let held = Buffer.alloc(0);
  let filled = 0;
  let needed = 0;
  const hold = (bytes: Buffer): void => {
    if (filled + bytes.length > held.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * held.length, filled + bytes.length));
      held.copy(larger, 0, 0, filled);
      held = larger;
    }
    bytes.copy(held, filled);
    filled += bytes.length;
  };
  return (chunk) => {
    let input = chunk;
    if (filled > 0) {
      hold(chunk);
      if (filled < needed) return;
      input = held.subarray(0, filled);
      held = Buffer.alloc(0);
      filled = 0;
    }
    let at = 0;
    needed = lengthBytes;
    while (input.length - at >= lengthBytes) {
      const end = at + lengthBytes + lengthAt(input, at);
      if (input.length < end) {
        needed = end - at;
        break;
      }
      const answer = input.subarray(at, end);
      at = end;
      deliver(answer);
    }
    if (at < input.length) hold(input.subarray(at));
  };
}

function lengthAt(bytes: Buffer, at: number): number {
  const length = bytes.readInt32BE(at);
  if (length >= numberBytes && length <= largestAnswerBytes) return length;
  // As a record of TLS begins: a listener that was greeted without it says so.
  const [type = 0, major, minor = 0] = bytes.subarray(at);
  throw type >= 0x14 && type <= 0x17 && major === 3 && minor <= 4 ? expectsTls() : unreadableAnswer();
}
