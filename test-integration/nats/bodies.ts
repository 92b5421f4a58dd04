import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { StoredMessage } from '../support/nats.ts';

/** The document of a message, as its header says that it is compressed. */
export function bodyOf({ headers, body }: StoredMessage): Buffer {
  const encoding = headers['content-encoding'];
  if (encoding === 'zstd') return zstdDecompressSync(body);
  return encoding === 'gzip' ? gunzipSync(body) : body;
}
