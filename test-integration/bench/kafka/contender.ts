import type { InventorySnapshot } from '@kollect/core';
import type { BenchCase } from './cases.ts';
import { documentsOf } from './workload.ts';

export interface ContenderOptions {
  readonly broker: string;
  readonly topic: string;
  readonly benchCase: BenchCase;
}

/** One way to publish, with a client of its own that stays connected. */
export interface Contender {
  /** What is no part of the measurement; the function that is returned is. */
  stage(snapshots: readonly InventorySnapshot[]): () => Promise<void>;
  close(): Promise<void>;
}

/** A client used without a sink: one message a call. */
export interface BareClient {
  send(key: Buffer, value: Buffer, headers?: Readonly<Record<string, string>>): Promise<void>;
  close(): Promise<void>;
}

/** A contender that sends the documents of our snapshots with nothing but the client. */
export function bareContender(client: BareClient, benchCase: BenchCase): Contender {
  return {
    stage(snapshots) {
      const messages = snapshots.flatMap((snapshot) => {
        const key = Buffer.from(`bench:platform/${snapshot.inventoryName}`);
        return documentsOf([snapshot], benchCase).map((value) => ({ key, value }));
      });
      return async () => {
        if (benchCase.order === 'at-once') await Promise.all(messages.map(({ key, value }) => client.send(key, value)));
        else for (const { key, value } of messages) await client.send(key, value);
      };
    },
    close: () => client.close(),
  };
}
