/** What a header says, by a name that no transport gave it. */
export interface HeaderNames {
  readonly cluster: string;
  readonly namespace: string;
  readonly inventory: string;
  readonly gvk: string;
  readonly generation: string;
  readonly checksum: string;
  readonly schemaVersion: string;
  readonly exportedAt: string;
  /** `false` where the listing of some targets was cut short, else absent. */
  readonly complete: string;
  readonly partIndex: string;
  readonly partTotal: string;
  readonly removedAt: string;
  readonly contentType: string;
}

/** How a transport writes headers: what they are called, and which values it can carry. */
export interface EventBinding {
  readonly names: HeaderNames;
  /** What CloudEvents puts before its attributes in this transport. */
  readonly cloudEventsPrefix: string;
  /** The text of a value as it stands in the header. */
  readonly encode: (value: string) => string;
}

/** Kafka: any UTF-8, as docs/kafka.md lists it. */
export const kafkaBinding: EventBinding = Object.freeze({
  names: namesAfter('kollect.dev/'),
  cloudEventsPrefix: 'ce_',
  encode: (value: string) => value,
});

/** NATS: Kafka's names, and values in printable ASCII, the rest percent-encoded. */
export const natsBinding: EventBinding = Object.freeze({
  names: namesAfter('kollect.dev/'),
  cloudEventsPrefix: 'ce-',
  encode: percentEncode,
});

/** HTTP: a name holds no "/", so that `kollect.dev/cluster` is `kollect-cluster`; values as for NATS. */
export const httpBinding: EventBinding = Object.freeze({
  names: namesAfter('kollect-'),
  cloudEventsPrefix: 'ce-',
  encode: percentEncode,
});

function namesAfter(prefix: string): HeaderNames {
  return Object.freeze({
    cluster: `${prefix}cluster`,
    namespace: `${prefix}namespace`,
    inventory: `${prefix}inventory`,
    gvk: `${prefix}gvk`,
    generation: `${prefix}generation`,
    checksum: `${prefix}checksum`,
    schemaVersion: `${prefix}schema-version`,
    exportedAt: `${prefix}exported-at`,
    complete: `${prefix}complete`,
    partIndex: `${prefix}part-index`,
    partTotal: `${prefix}part-total`,
    removedAt: `${prefix}removed-at`,
    contentType: 'content-type',
  });
}

/** As CloudEvents asks of HTTP and NATS: space, quote, percent and all that is not printable ASCII, byte by byte. */
function percentEncode(value: string): string {
  return value.replaceAll(/[^\x21\x23\x24\x26-\x7e]+/gu, (text) =>
    Array.from(Buffer.from(text), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}
