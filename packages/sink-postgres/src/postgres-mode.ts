import type { ExportPlan, ExportResult, InventorySnapshot, Scope } from '@kollect/core';
import type { OperationScope } from '@kollect/core/authoring';
import type { Session } from './wire/session.ts';

export interface DeletePermission {
  /** Lets this one export delete more than the sink's own limit. */
  readonly allowDeletes: boolean;
}

/** What `spec.mode` decides: how a snapshot becomes rows. */
export interface PostgresMode {
  export(scope: OperationScope, snapshot: InventorySnapshot, options: DeletePermission): Promise<ExportResult>;
  plan(scope: OperationScope, snapshot: InventorySnapshot, options: DeletePermission): Promise<ExportPlan>;
  /** `removedAt` is RFC 3339. */
  removeInventory(scope: OperationScope, inventory: Scope, removedAt: string): Promise<ExportResult>;
  /** Writes the snapshot within a transaction that somebody else began and rolls back. */
  rehearse(session: Session, snapshot: InventorySnapshot): Promise<void>;
}
