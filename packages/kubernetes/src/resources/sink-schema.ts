import { sinkDeliverySchema, type SpecSchema } from '@kollect/core';
import { conditions, dataKey, keyReference, mostEntries, observedGeneration, resourceName } from './schema-parts.ts';

const secretRef = {
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  description:
    'The Secret with the credentials. Without preset and keys its keys are named as the type reads them: dsn, username, password…',
  properties: {
    name: { ...resourceName, description: 'Name of the Secret, in the same namespace.' },
    preset: {
      type: 'string',
      minLength: 1,
      maxLength: 63,
      description: 'Whose Secret it is, where another operator wrote it: cloudnative-pg, strimzi-user…',
    },
    keys: {
      type: 'object',
      additionalProperties: dataKey,
      maxProperties: mostEntries,
      description: 'From what the sink reads (ca, cert and key for TLS) to the key of the Secret. Not with preset.',
    },
  },
} as const;

const ca = {
  type: 'object',
  additionalProperties: false,
  description: 'The certificates that the server is checked with: one of the three. Default: those of the system.',
  properties: {
    secretRef: { ...keyReference, description: 'A key of a Secret.' },
    configMapRef: { ...keyReference, description: 'A key of a ConfigMap.' },
    bundle: { type: 'string', minLength: 1, maxLength: 262_144, description: 'The certificates themselves, as PEM.' },
  },
} as const;

/** `spec` of a KollectSink but for the block of its type, which is the business of that type. */
export const sinkSpecSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['type'],
  properties: {
    type: {
      type: 'string',
      minLength: 1,
      maxLength: 63,
      pattern: '^[a-z][a-z0-9-]*$',
      description: 'Type of the sink; the block of the same name says the rest. Cannot be changed.',
    },
    secretRef,
    ca,
    delivery: {
      ...sinkDeliverySchema,
      default: {},
      description: 'How exports to the sink are made; every field has a default.',
    },
  },
} as const satisfies SpecSchema;

/** `status` of a KollectSink. */
export const sinkStatusSchema = {
  type: 'object',
  additionalProperties: false,
  properties: { observedGeneration, conditions },
} as const satisfies SpecSchema;
