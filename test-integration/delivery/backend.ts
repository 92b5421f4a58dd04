import type { InventorySnapshot, SinkResource } from '@kollect/core';
import type { FaultProxy } from '../servers/index.ts';

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
