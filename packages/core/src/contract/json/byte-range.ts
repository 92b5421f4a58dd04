/** Where the bytes of something lie. */
export interface ByteRange {
  readonly pool: Buffer;
  readonly start: number;
  readonly end: number;
}

/** No pool is larger, but for what is larger than a pool by itself. */
export const largestPoolBytes = 1024 * 1024;
/** What is larger gets memory of its own: a pool must not be half empty for its sake. */
export const largestPooledBytes = largestPoolBytes / 4;

/** Stands behind what is kept in a pool, so that neighbours are a list as they lie. */
export const comma = 0x2c;

export function ownRange(bytes: Uint8Array): ByteRange {
  const pool = Buffer.allocUnsafeSlow(bytes.length);
  pool.set(bytes);
  return { pool, start: 0, end: pool.length };
}
