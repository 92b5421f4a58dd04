import type { SpecSchema } from '@kollect/core';
import { conditions, observedGeneration, reference, resourceName } from './schema-parts.ts';

/** Most sinks of one inventory: as many stand in its status. */
export const mostSinks = 20;

const count = { type: 'integer', minimum: 0 } as const;

/** `spec` of a KollectInventory. */
export const inventorySpecSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['sinkRefs'],
  properties: {
    sinkRefs: {
      type: 'array',
      items: reference,
      minItems: 1,
      maxItems: mostSinks,
      description: 'The sinks that it is delivered to.',
    },
    targetRefs: {
      type: 'array',
      items: reference,
      maxItems: 100,
      default: [],
      description: 'The targets whose objects it holds. An operator that collects by itself needs none.',
    },
    exportMinInterval: {
      type: 'string',
      format: 'duration',
      default: '30s',
      description: 'Least time between exports that bring nothing material.',
    },
    suspend: {
      type: 'boolean',
      default: false,
      description:
        'true: nothing is exported, and what was stays. A suspended inventory that is deleted is let go without removal.',
    },
  },
} as const satisfies SpecSchema;

/** `status` of a KollectInventory. */
export const inventoryStatusSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    observedGeneration,
    items: { ...count, description: 'Items that were exported last.' },
    conditions,
    sinks: {
      type: 'array',
      maxItems: mostSinks,
      description: 'What became of it at each sink.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'conditions'],
        properties: {
          name: { ...resourceName, description: 'Name of the sink.' },
          outcome: {
            type: 'string',
            enum: ['applied', 'unchanged', 'superseded', 'failed'],
            description: 'How the last export ended.',
          },
          lastExportTime: {
            type: 'string',
            maxLength: 64,
            description: 'When the sink took it last, RFC 3339; at most once a minute.',
          },
          generation: { ...count, description: 'Generation of the inventory that the sink holds.' },
          items: { ...count, description: 'Items that the sink holds.' },
          conditions,
        },
      },
    },
  },
} as const satisfies SpecSchema;
