import type { Egress } from '../contract/egress.ts';
import { SinkError } from '../contract/errors/errors.ts';
import type { ExportResult, KollectSink } from '../contract/sink.ts';
import { defineSink } from './define-sink.ts';

export const capabilities = { fenced: false, deletes: false, plan: false, removeInventory: false } as const;

const nothing: ExportResult = {
  outcome: 'unchanged',
  counts: { inserted: 0, updated: 0, deleted: 0, unchanged: 0 },
  messages: 0,
  bytes: 0,
};

/** A sink that does nothing, for tests of what surrounds a sink. */
export function idleSink(): KollectSink {
  return {
    export: () => Promise.resolve(nothing),
    testConnection: () => Promise.resolve({ ok: true, steps: [] }),
    close: () => Promise.resolve(),
  };
}

/** A type with one field of every kind that a schema knows. */
export const tableSink = defineSink({
  type: 'table',
  contractVersion: 1,
  role: 'relational-store',
  capabilities,
  specSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['table'],
    properties: {
      table: { type: 'string', minLength: 1, maxLength: 63, description: 'Name of the table.' },
      mode: { type: 'string', enum: ['upsert', 'append'], default: 'upsert', description: 'How rows arrive.' },
      timeout: { type: 'string', format: 'duration', default: '30s', description: 'Limit of one statement.' },
      poolSize: { type: 'integer', minimum: 1, maximum: 100, default: 4, description: 'Connections.' },
      analyze: { type: 'boolean', description: 'Whether to analyse.' },
      maxDeletes: {
        type: ['integer', 'string'],
        minimum: 0,
        pattern: '^\\d+%$',
        description: 'A number or a percentage.',
      },
      brokers: { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1, description: 'Addresses.' },
      labels: { type: 'object', additionalProperties: { type: 'string' }, description: 'Static labels.' },
      password: { type: 'string', pattern: '^ref:', description: 'For tests of masking.' },
      tls: {
        type: 'object',
        additionalProperties: false,
        default: {},
        description: 'How to trust the server.',
        properties: {
          mode: {
            type: 'string',
            enum: ['require', 'verify-full'],
            default: 'verify-full',
            description: 'What is verified.',
          },
          serverName: { type: 'string', description: 'Name in the certificate.' },
        },
      },
    },
  },
  create: () => idleSink(),
});

/** An egress that nothing may use. */
export const noEgress: Egress = {
  check: () => undefined,
  dial: () => Promise.reject(new Error('not expected to dial')),
  lookup: () => undefined,
  socket: () => {
    throw new Error('not expected to dial');
  },
};

/** What the function throws, as a SinkError. */
export function sinkErrorOf(action: () => unknown): SinkError {
  try {
    action();
  } catch (error) {
    if (SinkError.isInstance(error)) return error;
    throw error;
  }
  throw new Error('expected a SinkError, nothing was thrown');
}
