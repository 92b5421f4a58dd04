import { Connection, createAPI, metadataV12, ResponseError, Writer, type API, type Reader } from '@platformatic/kafka';

/** Where a partition is. */
export interface PartitionState {
  readonly partition: number;
  /** A node's id, or -1 where none leads. */
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly inSyncReplicas: readonly number[];
}

const REQUEST_MS = 10_000;
const CONNECT_MS = 2_000;
const UNKNOWN_TOPIC = 3;

/** Has the first of the partition's replicas lead it; the library has no such request. */
export const electLeadersV2: API<[topic: string, partition: number, timeoutMs: number], void> = createAPI(
  43,
  2,
  createElection,
  (_correlation, _key, _version, reader: Reader) => {
    reader.readInt32();
    const code = reader.readInt16();
    // What the partitions say shows in the metadata.
    if (code !== 0) throw new Error(`Kafka refused the election of a leader with the error code ${code}.`);
  },
);

function createElection(topic: string, partition: number, timeoutMs: number): Writer {
  const preferred = 0;
  return Writer.create()
    .appendInt8(preferred)
    .appendArray([topic], (writer, name) =>
      writer.appendString(name).appendArray([partition], (w, index) => w.appendInt32(index), true, false),
    )
    .appendInt32(timeoutMs)
    .appendTaggedFields();
}

/** The brokers that a node knows; rejects while it does not answer. */
export async function brokersSeenBy(address: string): Promise<readonly number[]> {
  const { brokers } = await askNode(address, metadataV12.api, []);
  return brokers.map(({ nodeId }) => nodeId);
}

/** The partitions of the topic as the node sees them, in order; undefined where it sees no such topic. */
export async function partitionsSeenBy(address: string, topic: string): Promise<readonly PartitionState[] | undefined> {
  const { topics } = await askNode(address, metadataV12.api, [topic], false, false).catch((error: unknown) => {
    // A partition without a leader is an error to the library, and a state to us.
    if (error instanceof ResponseError && 'response' in error) return error.response as metadataV12.MetadataResponse;
    throw error;
  });
  const found = topics.find(({ name }) => name === topic);
  if (found === undefined || found.errorCode === UNKNOWN_TOPIC) return undefined;
  return found.partitions
    .map(({ partitionIndex, leaderId, replicaNodes, isrNodes }) => ({
      partition: partitionIndex,
      leader: leaderId,
      replicas: replicaNodes,
      inSyncReplicas: isrNodes,
    }))
    .toSorted((one, other) => one.partition - other.partition);
}

/** One request on a connection of its own. */
export async function askNode<Arguments extends unknown[], Response>(
  address: string,
  api: API<Arguments, Response>,
  ...args: Arguments
): Promise<Response> {
  const separator = address.lastIndexOf(':');
  const connection = new Connection('kollect-tests', { connectTimeout: CONNECT_MS, requestTimeout: REQUEST_MS });
  // What its requests fail with is enough: the broker may go at any time.
  connection.on('error', () => undefined);
  try {
    await connection.connect(address.slice(0, separator), Number(address.slice(separator + 1)));
    return await api.async(connection, ...args);
  } finally {
    await connection.close().catch(() => undefined);
  }
}

/** What the broker said, which the library keeps in a list within. */
export function refused(error: ResponseError): Error {
  const reasons = error.errors
    .map((reason) => ('serverErrorMessage' in reason && reason.serverErrorMessage) || reason.message)
    .join('; ');
  return new Error(`Kafka refused: ${reasons || error.message}`, { cause: error });
}
