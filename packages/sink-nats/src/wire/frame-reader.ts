import { natsFailure } from './failure.ts';

/** What a server says: a line, or a message with its payload. */
export type Frame =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'message'; readonly subject: string; readonly headers: Uint8Array; readonly body: Uint8Array };

export interface FrameLimits {
  readonly maxLineBytes: number;
  readonly maxMessageBytes: number;
}

interface Payload {
  readonly subject: string;
  readonly headerBytes: number;
  readonly totalBytes: number;
}

const newline = 10;
const firstBytes = 4096;

/** Cuts bytes into frames. Holds no more than what came in, within the limits, and throws where they are no NATS. */
export function createFrameReader(limits: FrameLimits, onFrame: (frame: Frame) => void) {
  let held = Buffer.allocUnsafe(firstBytes);
  let length = 0;
  let payload: Payload | undefined;

  const hold = (bytes: Uint8Array): void => {
    if (length + bytes.length > held.length) {
      const larger = Buffer.allocUnsafe(Math.max(held.length * 2, length + bytes.length));
      held.copy(larger, 0, 0, length);
      held = larger;
    }
    held.set(bytes, length);
    length += bytes.length;
  };
  const take = (): Buffer => {
    const taken = held.subarray(0, length);
    held = Buffer.allocUnsafe(firstBytes);
    length = 0;
    return taken;
  };
  const givePayload = (bytes: Buffer, { subject, headerBytes, totalBytes }: Payload): void => {
    if (bytes[totalBytes] !== 13 || bytes[totalBytes + 1] !== newline) throw natsFailure('no-nats');
    payload = undefined;
    onFrame({
      kind: 'message',
      subject,
      headers: bytes.subarray(0, headerBytes),
      body: bytes.subarray(headerBytes, totalBytes),
    });
  };
  const giveLine = (bytes: Buffer): void => {
    const text = bytes.toString().trimEnd();
    payload = /^H?MSG[ \t]/iu.test(text) ? payloadOf(text, limits) : undefined;
    if (payload === undefined) onFrame({ kind: 'line', text });
  };
  const give = (bytes: Buffer): void => (payload === undefined ? giveLine(bytes) : givePayload(bytes, payload));

  return (chunk: Uint8Array): void => {
    for (let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength); rest.length > 0;) {
      const end = payload === undefined ? rest.indexOf(newline) + 1 : payload.totalBytes + 2 - length;
      const isEnd = end > 0 && end <= rest.length;
      const part = isEnd ? rest.subarray(0, end) : rest;
      if (payload === undefined && length + part.length > limits.maxLineBytes) throw natsFailure('no-nats');
      rest = rest.subarray(part.length);
      // What came in one piece, as almost all does, is not copied.
      if (isEnd && length === 0) give(part);
      else {
        hold(part);
        if (isEnd) give(take());
      }
    }
  };
}

/** `MSG subject sid [reply] bytes`, and `HMSG` with the bytes of its headers before. */
function payloadOf(line: string, { maxMessageBytes }: FrameLimits): Payload {
  const [verb = '', ...args] = line.split(/[ \t]+/u);
  const withHeaders = /^H/iu.test(verb);
  const sizes = args.slice(withHeaders ? -2 : -1).map((text) => (/^\d{1,10}$/u.test(text) ? Number(text) : Number.NaN));
  const [subject] = args;
  const totalBytes = sizes.at(-1) ?? Number.NaN;
  const headerBytes = withHeaders ? (sizes[0] ?? Number.NaN) : 0;
  if (subject === undefined || args.length < sizes.length + 2 || !(headerBytes <= totalBytes))
    throw natsFailure('no-nats');
  if (totalBytes > maxMessageBytes) throw natsFailure('huge-answer');
  return { subject, headerBytes, totalBytes };
}
