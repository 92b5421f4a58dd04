import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import kafkajs from 'kafkajs';
import type { BareClient, ContenderOptions } from './contender.ts';

// Its named exports are not all seen from an ES module.
const { CompressionCodecs, CompressionTypes, Kafka, Partitioners } = kafkajs;

const types = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
};

/** kafkajs as its documentation shows it, idempotent as the sink is. */
export async function createBareKafkajs({ broker, topic, benchCase }: ContenderOptions): Promise<BareClient> {
  await registerCodecs();
  const kafka = new Kafka({ clientId: 'bench', brokers: [broker], logCreator: () => () => undefined });
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  return {
    async send(key, value, headers = {}) {
      const compression = types[benchCase.compression];
      await producer.send({ topic, acks: -1, compression, messages: [{ key, value, headers }] });
    },
    close: () => producer.disconnect(),
  };
}

/** What kafkajs leaves to its users. */
async function registerCodecs(): Promise<void> {
  const [snappy, lz4] = await Promise.all([import('snappy'), import('lz4-napi')]);
  const codec =
    (compress: (bytes: Buffer) => Promise<Buffer>, decompress: (bytes: Buffer) => Promise<Buffer>) => () => ({
      compress: ({ buffer }: { buffer: Buffer }) => compress(buffer),
      decompress,
    });
  CompressionCodecs[CompressionTypes.Snappy] = codec(snappy.compress, async (bytes) =>
    Buffer.from(await snappy.uncompress(bytes)),
  );
  CompressionCodecs[CompressionTypes.LZ4] = codec(lz4.compressFrame, lz4.decompressFrame);
  CompressionCodecs[CompressionTypes.ZSTD] = codec(promisify(zstdCompress), promisify(zstdDecompress));
}
