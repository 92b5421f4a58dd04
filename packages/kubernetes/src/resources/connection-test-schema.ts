import { sinkErrorCodes, type SpecSchema } from '@kollect/core';
import { conditions, observedGeneration, reference } from './schema-parts.ts';

const time = { type: 'string', maxLength: 64 } as const;
const code = {
  type: 'string',
  enum: [...sinkErrorCodes],
  description: 'What went wrong, as a code.',
} as const;

/** `spec` of a KollectConnectionTest. */
export const connectionTestSpecSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['sinkRef'],
  properties: {
    sinkRef: { ...reference, description: 'The sink to test, in the same namespace.' },
    ttlSecondsAfterFinished: {
      type: 'integer',
      minimum: 0,
      maximum: 604_800,
      default: 300,
      description: 'How long the result is kept.',
    },
  },
} as const satisfies SpecSchema;

/** `status` of a KollectConnectionTest. Final once `completedAt` is set. */
export const connectionTestStatusSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    observedGeneration,
    startedAt: { ...time, description: 'RFC 3339.' },
    completedAt: { ...time, description: 'RFC 3339; nothing changes any more once it is there.' },
    durationMs: { type: 'integer', minimum: 0, description: 'How long the test took.' },
    code,
    remedy: { type: 'string', maxLength: 512, description: 'What to do.' },
    steps: {
      type: 'array',
      maxItems: 20,
      description: 'What was tried, in order.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'status'],
        properties: {
          name: { type: 'string', minLength: 1, maxLength: 63, description: 'What was tried.' },
          status: {
            type: 'string',
            enum: ['ok', 'warning', 'failed', 'skipped'],
            description: 'How it went.',
          },
          durationMs: { type: 'integer', minimum: 0, description: 'How long it took.' },
          code,
          remedy: { type: 'string', maxLength: 512, description: 'What to do.' },
        },
      },
    },
    conditions,
  },
} as const satisfies SpecSchema;
