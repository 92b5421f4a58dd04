import type {
  ExportOptions,
  ExportPlan,
  ExportResult,
  InventorySnapshot,
  RemoveInventoryOptions,
  Scope,
} from '@kollect/core';

/** What `spec.mode` decides: how a snapshot becomes rows. */
export interface PostgresMode {
  export(snapshot: InventorySnapshot, options: ExportOptions): Promise<ExportResult>;
  plan(snapshot: InventorySnapshot, options: ExportOptions): Promise<ExportPlan>;
  removeInventory(scope: Scope, options: RemoveInventoryOptions): Promise<ExportResult>;
}
