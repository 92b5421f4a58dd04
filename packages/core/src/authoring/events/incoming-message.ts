type Bytes = Uint8Array | string;

/** Headers as kafkajs (a record, with arrays where a name came twice) and @platformatic/kafka (a map) hand them out. */
export type IncomingHeaders =
  | ReadonlyMap<Bytes, Bytes | null>
  | { readonly [name: string]: Bytes | readonly Bytes[] | null | undefined };

/** A consumed message, as the client hands it out: with kafkajs `{ topic, partition, ...message }`. */
export interface IncomingMessage {
  readonly key?: Bytes | null | undefined;
  readonly value?: Bytes | null | undefined;
  readonly headers?: IncomingHeaders | undefined;
  readonly topic?: string | undefined;
  /** Default 0. */
  readonly partition?: number | undefined;
  /** Without offsets, events do not say what may be committed. */
  readonly offset?: bigint | number | string | undefined;
}

/** A place in a partition. */
export interface MessagePosition {
  readonly topic?: string;
  readonly partition: number;
  readonly offset: bigint;
}

/** Where a message stands; undefined where it has no offset. */
export function positionOf({ topic, partition = 0, offset }: IncomingMessage): MessagePosition | undefined {
  return offset === undefined
    ? undefined
    : { ...(topic === undefined ? undefined : { topic }), partition, offset: BigInt(offset) };
}

/** UTF-8 or text as text; undefined where it is absent or not UTF-8. */
export function textOf(bytes: Bytes | null | undefined): string | undefined {
  if (bytes === null || bytes === undefined || typeof bytes === 'string') return bytes ?? undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The first value of a header. */
export function headerOf(headers: IncomingHeaders | undefined, wanted: string): string | undefined {
  const entries = headers instanceof Map ? [...(headers as ReadonlyMap<Bytes, Bytes>)] : Object.entries(headers ?? {});
  const found = entries.find(([name]) => textOf(name) === wanted)?.[1] as Bytes | readonly Bytes[] | undefined;
  return textOf(isList(found) ? found[0] : found);
}

function isList(value: Bytes | readonly Bytes[] | undefined): value is readonly Bytes[] {
  return Array.isArray(value);
}
