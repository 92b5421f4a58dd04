import { defineSink, type ExportResult, type SinkDefinition } from '@kollect/core';

const result: ExportResult = {
  outcome: 'applied',
  counts: { inserted: 0, updated: 0, deleted: 0, unchanged: 0 },
  messages: 0,
  bytes: 0,
};

/** A sink type whose sinks do nothing: what is measured is what is around them. */
export function noOpSink(type: string): SinkDefinition {
  return defineSink({
    type,
    contractVersion: 1,
    role: 'event-emitter',
    capabilities: { fenced: false, deletes: false, plan: false, removeInventory: false },
    specSchema: { type: 'object', properties: {}, additionalProperties: false },
    create: () => ({
      export: async () => result,
      testConnection: async () => ({ ok: true, steps: [] }),
      close: async () => undefined,
    }),
  });
}
