import type { Socket } from 'node:net';

/*
 * All that this project knows of kafkajs 2.2.4, the parts that it does not document included: its last release is of February 2023.
 * What they are for: one cluster for producer and metadata, sockets that can be ended, no negative timer, secrets asked for anew.
 */

export interface Connection {
  readonly host: string;
  readonly port: number;
  sasl: object | null;
  connect(): Promise<boolean>;
  isConnected(): boolean;
  /** Logs in, where there is something to log in with. */
  authenticate(): Promise<void>;
  /** Undefined until it dials. */
  readonly socket?: Socket;
  /** What came of an answer that is not whole yet. */
  chunks: Uint8Array[];
  bytesBuffered: number;
  bytesNeeded: number;
  processData(bytes: Buffer): void;
  /** One step of a login with a broker that has no request for it. */
  sendAuthRequest(exchange: object): Promise<unknown>;
  send(exchange: Exchange): Promise<unknown>;
  readonly requestQueue: {
    readonly pending: readonly unknown[];
    readonly inflight: ReadonlyMap<number, unknown>;
    fulfillRequest(answer: { readonly correlationId: number }): void;
    scheduleCheckPendingRequests(): void;
    rejectAll(error: Error): void;
    /** Called with what each answer says, null where it does not say. */
    maybeThrottle(ms: number | null): void;
  };
}

/** A request, and how its answer is read. */
export interface Exchange {
  readonly request: { readonly apiKey: number; readonly apiName: string };
  readonly response: { decode(bytes: Uint8Array): Promise<unknown>; parse(decoded: unknown): Promise<unknown> };
}

export interface Broker {
  metadata(topics: readonly string[]): Promise<{
    readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
    readonly topicMetadata: readonly TopicMetadata[];
  }>;
  describeConfigs(request: object): Promise<{
    readonly resources: readonly {
      readonly configEntries: readonly { readonly configName: string; readonly configValue: string | null }[];
    }[];
  }>;
  createTopics(request: object): Promise<unknown>;
  produce(request: object): Promise<unknown>;
  findGroupCoordinator(request: object): Promise<unknown>;
}

export interface TopicMetadata {
  readonly topic: string;
  readonly partitionMetadata: readonly {
    readonly partitionId: number;
    readonly leader: number;
    readonly replicas: readonly number[];
    readonly isr: readonly number[];
  }[];
}

export interface Cluster {
  readonly targetTopics: Set<string>;
  readonly connectionPoolBuilder: {
    build(to?: { readonly host?: string; readonly port?: number }): Promise<{ readonly pool: readonly Connection[] }>;
  };
  readonly brokerPool: {
    findConnectedBroker(): Promise<Broker>;
    createSeedBroker(): Promise<void>;
    readonly seedBroker?: { connect(): Promise<void> };
    /** Of the topics that it was asked for, once it was. */
    readonly metadata?: { readonly topicMetadata: readonly TopicMetadata[] } | null;
  };
  connect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  findControllerBroker(): Promise<Broker>;
  /** The partitions by the node that leads them. */
  findLeaderForPartitions(topic: string, partitions: readonly string[]): Readonly<Record<string, readonly number[]>>;
}

/** Where a broker's number would be. */
export const noLeader = -1;
/** Of the length that each answer begins with. */
export const lengthBytes = 4;
