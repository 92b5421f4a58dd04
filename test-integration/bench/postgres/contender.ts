import type { Item } from '@kollect/core';

/** One way to make a table equal to the items, measured from outside. */
export interface Contender {
  /** Tables that hold its state, for TRUNCATE and ANALYZE. */
  readonly tables: readonly string[];
  /** What an operator does once a cycle however many sinks there are; the function that is returned does the rest. */
  stage(items: readonly Item[], exportedAt: string): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export interface ContenderOptions {
  readonly dsn: string;
  /** Whose table is written, bare; it is there already or is made. */
  readonly table: string;
}
