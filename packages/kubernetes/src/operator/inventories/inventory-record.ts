import type { SinkDeliveryReport } from '@kollect/core';
import type { Collection } from './collection.ts';
import type { HostPlanner } from './collect-by-host.ts';
import type { Removal } from './removal.ts';

/** What a sink holds of an inventory, as far as this process brought it there. */
export interface Taken {
  readonly generation: number;
  readonly items: number;
}

/** What is kept of one inventory between two looks at it. */
export interface InventoryRecord {
  readonly uid: string;
  readonly collection: Collection;
  readonly planner: HostPlanner | undefined;
  /** For when the inventory is deleted. */
  readonly removal: Removal;
  /** For sinks that it names no more. */
  readonly leaving: Removal;
  /** A plan was made once: before, nothing may be exported. */
  isPlanned: boolean;
  /** What was exported last, and when. */
  exported: { readonly signature: string; readonly at: number; readonly taken: Taken } | undefined;
  /** By sink. */
  readonly taken: Map<string, Taken>;
  /** When it was seen first that it names these sinks no more. */
  left: { readonly sinks: string; readonly at: string } | undefined;
}

/** Notes what a sink took. */
export function noteReport(record: InventoryRecord, { sink, outcome }: SinkDeliveryReport, taken: Taken): void {
  if (outcome === 'applied' || outcome === 'unchanged') record.taken.set(sink, taken);
}

export function closeRecord(record: InventoryRecord): void {
  record.collection.close();
  record.planner?.close();
}
