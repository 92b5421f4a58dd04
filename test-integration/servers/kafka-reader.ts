import { createKafkaAdmin } from './kafka-admin.ts';
import type { KafkaConnection } from './kafka-connection.ts';
import { startConsoleConsumer } from './kafka-console.ts';
import { createConsoleParser, type ReadRecord } from './kafka-records.ts';

/** What is read; every field has a default. */
export interface ReadOptions {
  /** The reading ends when so many records are there, and fails when they do not come; default: what is in the topic when it begins. */
  readonly count?: number;
  /** True leaves out what was aborted or is not committed yet; default false. */
  readonly committed?: boolean;
  /** The one partition to read; default all. */
  readonly partition?: number;
  /** The first offset to read of `partition`; default the earliest. */
  readonly from?: number;
}

const PATIENCE_MS = 30_000;
const QUIET_MS = 3_000;
const MAXIMUM_BYTES = String(256 * 1024 * 1024);

/**
 * Reads a topic with Java's console consumer, which shares no code with the clients under test. Resolves to the records, ordered
 * by partition and offset. Where a topic ends with the mark of a transaction, that takes 3 s longer unless `count` is given.
 */
export async function readTopic(
  server: KafkaConnection,
  topic: string,
  options: ReadOptions = {},
): Promise<ReadRecord[]> {
  const { count, committed = false, partition, from = 0 } = options;
  const ends = await createKafkaAdmin(server).endOffsets(topic, { committed });
  const wanted = [...ends].filter(
    ([id, end]) => (partition ?? id) === id && end > (partition === undefined ? 0 : from),
  );
  if (count === 0 || (count === undefined && wanted.length === 0)) return [];

  const parser = createConsoleParser();
  const reached = new Map<number, number>();
  let seen = 0;
  const isWhole = (): boolean => {
    for (; seen < parser.records.length; seen += 1) {
      const { partition: id = 0, offset = 0 } = parser.records[seen] ?? {};
      reached.set(id, Math.max(offset, reached.get(id) ?? 0));
    }
    return count === undefined ? wanted.every(([id, end]) => (reached.get(id) ?? -1) >= end - 1) : seen >= count;
  };
  const consumer = await startConsoleConsumer(server, {
    topic,
    isolation: committed ? 'read_committed' : 'read_uncommitted',
    position:
      partition === undefined ? ['--from-beginning'] : ['--partition', String(partition), '--offset', String(from)],
    formatter: parser.properties,
    consumer: { 'fetch.max.bytes': MAXIMUM_BYTES, 'max.partition.fetch.bytes': MAXIMUM_BYTES },
  });
  const failure = await new Promise<string | undefined>((resolve) => {
    let timer = setTimeout(() => resolve('printed nothing'), PATIENCE_MS);
    consumer.output.on('data', (chunk: Buffer) => {
      parser.push(chunk);
      clearTimeout(timer);
      if (isWhole()) resolve(undefined);
      // What is left before the end may be marks of transactions, which nobody prints.
      else
        timer = setTimeout(
          () => resolve(count === undefined ? undefined : 'fell silent'),
          count === undefined ? QUIET_MS : PATIENCE_MS,
        );
    });
    consumer.output.once('end', () => {
      clearTimeout(timer);
      resolve('ended');
    });
  });
  await consumer.end();
  if (failure !== undefined && !isWhole()) {
    throw new Error(
      `Java's console consumer ${failure} after ${parser.records.length} records of "${topic}". ${await consumer.problem()}`.trim(),
    );
  }
  return parser.records
    .slice(0, count)
    .toSorted((one, other) => one.partition - other.partition || one.offset - other.offset);
}
