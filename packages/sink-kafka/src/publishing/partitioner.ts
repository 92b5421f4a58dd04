const seed = 0x9747b28c;
const multiplier = 0x5bd1e995;

/** The partition that Java's default partitioner puts the key on; the vectors beside this file are its own. */
export function partitionFor(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fff_ffff) % partitions;
}

/** MurmurHash2, 32 bits, as Kafka's Java client computes it. */
function murmur2(data: Uint8Array): number {
  const { length } = data;
  const byte = (index: number): number => data[index] ?? 0;
  let hash = seed ^ length;
  const tail = length & ~3;
  for (let index = 0; index < tail; index += 4) {
    const word = byte(index) | (byte(index + 1) << 8) | (byte(index + 2) << 16) | (byte(index + 3) << 24);
    const mixed = Math.imul(word, multiplier);
    hash = Math.imul(hash, multiplier) ^ Math.imul(mixed ^ (mixed >>> 24), multiplier);
  }
  if (tail < length) hash = Math.imul(hash ^ byte(tail) ^ (byte(tail + 1) << 8) ^ (byte(tail + 2) << 16), multiplier);
  hash = Math.imul(hash ^ (hash >>> 13), multiplier);
  return hash ^ (hash >>> 15);
}
