import type { IncomingMessage } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** What an answer can have wrong, whatever the server is. */
export class UnreadableAnswer extends Error {
  readonly reason: 'BadResponse' | 'ResponseTooLarge' | 'Unreachable';

  constructor(reason: UnreadableAnswer['reason']) {
    super(reason);
    this.reason = reason;
  }
}

/** The value of a whole answer of at most so many bytes. */
export async function readJson(response: IncomingMessage, maxBytes: number): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  if (Number(response.headers['content-length'] ?? 0) > maxBytes) throw new UnreadableAnswer('ResponseTooLarge');
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) throw new UnreadableAnswer('ResponseTooLarge');
    chunks.push(chunk);
  }
  return parse(chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks));
}

const newline = 0x0a;
const sliceMs = 8;

/** One value for each line, each of at most so many bytes; others of the process have their turns in between. */
export async function* readLines(response: IncomingMessage, maxLineBytes: number): AsyncGenerator<unknown, void> {
  /** The line that is not whole yet. */
  let pieces: Buffer[] = [];
  let length = 0;
  let sliceEnd = performance.now() + sliceMs;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
      const line = Buffer.concat([...pieces, chunk.subarray(from, at)]);
      if (line.length > maxLineBytes) throw new UnreadableAnswer('ResponseTooLarge');
      [pieces, length, from] = [[], 0, at + 1];
      if (line.length > 0) yield parse(line);
      if (performance.now() < sliceEnd) continue;
      await nextTurn();
      sliceEnd = performance.now() + sliceMs;
    }
    const rest = chunk.subarray(from);
    length += rest.length;
    if (length > maxLineBytes) throw new UnreadableAnswer('ResponseTooLarge');
    if (rest.length > 0) pieces.push(rest);
  }
  // It was cut in the middle: the event comes again.
  if (length > 0) throw new UnreadableAnswer('Unreachable');
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new UnreadableAnswer('BadResponse');
  }
}
