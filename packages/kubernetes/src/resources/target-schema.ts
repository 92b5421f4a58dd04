import type { SpecSchema } from '@kollect/core';
import {
  apiVersionName,
  conditions,
  kindName,
  mostEntries,
  namespaceName,
  observedGeneration,
  resourceName,
} from './schema-parts.ts';

/** Key of a label: a name, with or without a prefix. */
export const labelKey = { type: 'string', minLength: 1, maxLength: 317, pattern: '^[-._/a-zA-Z0-9]+$' } as const;
const labelValue = { type: 'string', maxLength: 63, pattern: '^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$' } as const;

/** From the key of an attribute to the field path that it is read from. */
export const attributesSchema = {
  type: 'object',
  additionalProperties: { type: 'string', minLength: 1, maxLength: 1024 },
  maxProperties: mostEntries,
} as const;

const labelSelector = {
  type: 'object',
  additionalProperties: false,
  description: 'Labels that an object must have. Default: any.',
  properties: {
    matchLabels: {
      type: 'object',
      additionalProperties: labelValue,
      maxProperties: mostEntries,
      default: {},
      description: 'Labels with their values.',
    },
    matchExpressions: {
      type: 'array',
      maxItems: 20,
      default: [],
      description: 'The same in words.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['key', 'operator'],
        properties: {
          key: { ...labelKey, description: 'The label.' },
          operator: {
            type: 'string',
            enum: ['In', 'NotIn', 'Exists', 'DoesNotExist'],
            description: 'What must be true of it.',
          },
          values: {
            type: 'array',
            items: labelValue,
            maxItems: 50,
            default: [],
            description: 'For In and NotIn.',
          },
        },
      },
    },
  },
} as const;

/** `spec` of a KollectTarget. */
export const targetSpecSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['resources'],
  properties: {
    resources: {
      type: 'array',
      minItems: 1,
      maxItems: 50,
      description: 'Types of the objects.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['apiVersion', 'kind'],
        properties: {
          apiVersion: { ...apiVersionName, description: 'apps/v1, or v1 of the core group.' },
          kind: { ...kindName, description: 'Deployment.' },
        },
      },
    },
    namespaces: {
      type: 'array',
      items: namespaceName,
      maxItems: 100,
      description: 'Namespaces of the objects, where the operator allows others. Default: the one of the target.',
    },
    allNamespaces: {
      type: 'boolean',
      default: false,
      description: 'true: those of all namespaces, and objects of the cluster. Not with namespaces.',
    },
    labelSelector,
    fieldSelector: {
      type: 'string',
      minLength: 1,
      maxLength: 1024,
      description: 'As kubectl takes it, of the fields that the API server can select by.',
    },
    profileRef: {
      type: 'object',
      additionalProperties: false,
      required: ['name'],
      description: 'A profile whose attributes are read, beside those here, which go before it.',
      properties: { name: { ...resourceName, description: 'Name of the profile, in the same namespace.' } },
    },
    attributes: {
      ...attributesSchema,
      default: {},
      description: 'From a key to a field path, such as .spec.replicas.',
    },
  },
} as const satisfies SpecSchema;

/** `status` of a KollectTarget. */
export const targetStatusSchema = {
  type: 'object',
  additionalProperties: false,
  properties: { observedGeneration, conditions },
} as const satisfies SpecSchema;

/** `spec` of a KollectProfile. */
export const profileSpecSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['attributes'],
  properties: {
    attributes: { ...attributesSchema, description: 'From a key to a field path, such as .spec.replicas.' },
  },
} as const satisfies SpecSchema;
