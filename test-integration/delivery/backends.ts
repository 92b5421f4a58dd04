import type { InventorySnapshot, SinkResource } from '@kollect/core';
import type { FaultProxy } from '../servers/index.ts';
import { startKafkaBackend } from './kafka-backend.ts';
import { startPostgresBackend } from './postgres-backend.ts';

export const backendNames = ['postgres', 'kafka'] as const;
export type BackendName = (typeof backendNames)[number];

/** A store behind a proxy, to be disturbed while it is written to. */
export interface Backend {
  /** The sink that writes to it, named as the backend. */
  readonly resource: SinkResource;
  readonly proxy: FaultProxy;
  /** Kills the server like a power cut and starts it again. */
  kill(): Promise<void>;
  /** Names of inventories whose last snapshot the store does not hold; read by other means than the sink. */
  lacking(latest: ReadonlyMap<string, InventorySnapshot>): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export type Backends = Readonly<Record<BackendName, Backend>>;

/** Starts a server of each kind, side by side. */
export async function startBackends(): Promise<Backends> {
  const [postgres, kafka] = await Promise.all([startPostgresBackend(), startKafkaBackend()]);
  return { postgres, kafka };
}
