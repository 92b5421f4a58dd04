import { SinkError } from '../../contract/errors/errors.ts';

export interface ReadBodyOptions {
  /** An answer of more bytes, after decompression, is refused. */
  readonly maxBytes: number;
}

/**
 * What a server answered, of `fetch` (`response.body`) or of `node:http`, in memory. Throws BACKEND_ERROR, and gives the connection up, where it is
 * longer than `maxBytes`; errors of the connection arrive as they are.
 */
export async function readBody(
  body: AsyncIterable<Uint8Array> | null,
  { maxBytes }: ReadBodyOptions,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.byteLength;
    if (length > maxBytes)
      throw new SinkError('BACKEND_ERROR', `The answer of the server is longer than ${String(maxBytes)} bytes.`, {
        remedy: 'Check that the right server answers at the address.',
      });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
