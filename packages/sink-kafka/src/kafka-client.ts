import type { Credentials, Egress } from '@kollect/core';
import type { SinkTls } from '@kollect/core/authoring';

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
export type Acks = 'all' | 'leader' | 'none';
export type SaslMechanism = 'plain' | 'scram-sha-256' | 'scram-sha-512' | 'oauthbearer';

/** One record as it goes to the broker. */
export interface KafkaRecord {
  /** UTF-8. */
  readonly key: Uint8Array;
  /** Null is a tombstone. */
  readonly value: Uint8Array | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
}

/** Records for one partition that go in one record batch, so that the broker takes all of them or none. */
export interface ProduceBatch {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly KafkaRecord[];
}

/** What a cluster says of a topic; a field it does not tell us is absent. */
export interface TopicDescription {
  readonly partitions: readonly {
    readonly partition: number;
    readonly leader: number;
    readonly replicas: readonly number[];
    readonly inSyncReplicas: readonly number[];
  }[];
  /** Where the brokers that lead the partitions are dialled, as the cluster says. */
  readonly leaders?: readonly { readonly host: string; readonly port: number }[];
  /** `cleanup.policy`, `max.message.bytes`, `min.insync.replicas`, …; absent where we may not describe them. */
  readonly configs?: Readonly<Record<string, string>>;
  /** What this principal may do on the topic, such as `WRITE`; absent where the broker does not say. */
  readonly authorizedOperations?: readonly string[];
}

export interface NewTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}

/** All that a client may know. `credentials` and `tls` are asked at every connect and, for a token, at every re-authentication. */
export interface KafkaClientConfig {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly compression: Compression;
  readonly acks: Acks;
  readonly idempotent: boolean;
  /** Present: `transaction` works, with this id; a new client of the same id ends what the last one left open. */
  readonly transactionalId?: string;
  readonly sasl?: { readonly mechanism: SaslMechanism };
  readonly requestTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly credentials: () => Promise<Credentials>;
  /** Resolves to undefined where connections are not encrypted. */
  readonly tls: () => Promise<SinkTls | undefined>;
  /** Every address is dialled through it, those of brokers that metadata names included. */
  readonly egress: Egress;
  /** Called with the milliseconds that a broker asks to wait, because a quota is used up. */
  readonly onThrottle?: (ms: number) => void;
  /** The client library's own log lines: never a message, a password or a token. */
  readonly log: (line: KafkaLogLine) => void;
}

export interface KafkaLogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly broker?: string;
}

/**
 * What the sink needs of a Kafka client. A method rejects with the library's own error, which `kafka-errors.ts` classifies. None takes a
 * signal: whoever cannot wait calls `destroy`, after which every pending call settles and no socket or timer is left.
 */
export interface KafkaClient {
  /** Dials a broker, authenticates, and gets ready to produce. */
  connect(): Promise<void>;
  /** Resolves when the broker acknowledged the batch as `acks` says. */
  send(batch: ProduceBatch): Promise<void>;
  /** Batches sent within become visible together when `work` resolves, and never when it rejects. */
  transaction<T>(work: (send: KafkaClient['send']) => Promise<T>): Promise<T>;
  /** What the cluster says of the topic now; undefined where it does not exist. Reads configs and permissions only where asked. */
  describeTopic(
    topic: string,
    options?: { readonly configs?: boolean; readonly permissions?: boolean },
  ): Promise<TopicDescription | undefined>;
  /** `validateOnly`: makes nothing, and rejects as making it would. */
  createTopic(topic: NewTopic, options?: { readonly validateOnly?: boolean }): Promise<void>;
  /** Ends every connection at once and never rejects; may be called twice and while `connect` runs. */
  destroy(): Promise<void>;
}

/** Makes a client; does no I/O. `kafkajsClient` is the default, `@kollect/sink-kafka/platformatic` exports another. */
export type KafkaClientFactory = (config: KafkaClientConfig) => KafkaClient;
