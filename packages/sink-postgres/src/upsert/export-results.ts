import type { ExportResult, ItemCounts } from '@kollect/core';

const nothing: ItemCounts = { inserted: 0, updated: 0, deleted: 0, unchanged: 0 };

/** The store holds a newer snapshot. */
export const superseded: ExportResult = { outcome: 'superseded', counts: nothing, messages: 0, bytes: 0 };

/** The store held this many records, all as they should be. */
export function unchanged(records: number): ExportResult {
  return { outcome: 'unchanged', counts: { ...nothing, unchanged: records }, messages: 0, bytes: 0 };
}

export function applied(
  counts: Partial<ItemCounts>,
  traffic: { readonly messages: number; readonly bytes: number },
): ExportResult {
  return { outcome: 'applied', counts: { ...nothing, ...counts }, messages: traffic.messages, bytes: traffic.bytes };
}
