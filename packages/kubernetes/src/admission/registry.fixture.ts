import { createSinkRegistry, defineSink, memorySink, type SpecSchema } from '@kollect/core';
import { kafkaSink } from '@kollect/sink-kafka';
import { natsSink } from '@kollect/sink-nats';
import { postgresSink } from '@kollect/sink-postgres';

const specSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['end-point'],
  properties: {
    'end-point': { type: 'string', format: 'server-address', description: 'Where.' },
    import: {
      type: 'array',
      description: 'Other places.',
      items: {
        type: 'object',
        additionalProperties: false,
        properties: {
          url: { type: 'string', format: 'server-address', description: 'Where.' },
          labels: { type: 'object', additionalProperties: { type: 'string' }, description: 'Any.' },
        },
      },
    },
    apiToken: { type: 'string', description: 'What should be in a Secret.' },
  },
} as const satisfies SpecSchema;

/** A type of somebody else, with all that makes a policy difficult. */
export const hooksSink = defineSink({
  type: 'my-hooks',
  contractVersion: 1,
  role: 'event-emitter',
  specSchema,
  create: memorySink().create,
});

export const registry = createSinkRegistry([postgresSink, kafkaSink, natsSink, hooksSink]);
