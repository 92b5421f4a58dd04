import type {
  ExportOptions,
  ExportPlan,
  ExportResult,
  InventorySnapshot,
  RemoveInventoryOptions,
  Scope,
} from '@kollect/core';
import type { Session } from './wire/session.ts';

/** What `spec.mode` decides: how a snapshot becomes rows. */
export interface PostgresMode {
  export(snapshot: InventorySnapshot, options: ExportOptions): Promise<ExportResult>;
  plan(snapshot: InventorySnapshot, options: ExportOptions): Promise<ExportPlan>;
  removeInventory(scope: Scope, options: RemoveInventoryOptions): Promise<ExportResult>;
  /** Writes the snapshot within a transaction that somebody else began and rolls back. */
  rehearse(session: Session, snapshot: InventorySnapshot): Promise<void>;
}
