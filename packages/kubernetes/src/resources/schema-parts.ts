/** Most entries of a map: as many as CRDs take where nothing else is said. */
export const mostEntries = 64;

/** Name of a resource in the namespace of whoever names it: a DNS subdomain. */
export const resourceName = {
  type: 'string',
  minLength: 1,
  maxLength: 253,
  pattern: '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$',
} as const;

/** A namespace: a DNS label. */
export const namespaceName = {
  type: 'string',
  minLength: 1,
  maxLength: 63,
  pattern: '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$',
} as const;

/** Key of a Secret or a ConfigMap. */
export const dataKey = { type: 'string', minLength: 1, maxLength: 253, pattern: '^[-._a-zA-Z0-9]+$' } as const;

/** `apps/v1`, or `v1` of the core group. */
export const apiVersionName = {
  type: 'string',
  minLength: 1,
  maxLength: 317,
  pattern: '^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?v[a-z0-9]+$',
} as const;

/** `Deployment`. */
export const kindName = { type: 'string', minLength: 1, maxLength: 63, pattern: '^[A-Za-z][A-Za-z0-9]*$' } as const;

/** Names a resource of the same namespace. */
export const reference = {
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties: { name: { ...resourceName, description: 'Name of the resource, in the same namespace.' } },
} as const;

/** Names one key of a Secret or a ConfigMap of the same namespace. */
export const keyReference = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'key'],
  properties: {
    name: { ...resourceName, description: 'Name of it, in the same namespace.' },
    key: { ...dataKey, description: 'Key of the value.' },
  },
} as const;

const conditionTexts = {
  type: { type: 'string', minLength: 1, maxLength: 63, description: 'What is true or not.' },
  status: { type: 'string', enum: ['True', 'False', 'Unknown'], description: 'Whether it is.' },
  reason: {
    type: 'string',
    minLength: 1,
    maxLength: 64,
    pattern: '^[A-Z][A-Za-z0-9]*$',
    description: 'Why, in one word of a closed set.',
  },
  message: { type: 'string', maxLength: 256, description: 'The same for people; holds nothing that a store said.' },
  lastTransitionTime: { type: 'string', maxLength: 64, description: 'When the status changed last, RFC 3339.' },
} as const;

/** `status.conditions`, as Kubernetes has them everywhere. */
export const conditions = {
  type: 'array',
  maxItems: 8,
  description: 'What is true of it now.',
  items: {
    type: 'object',
    additionalProperties: false,
    required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'],
    properties: {
      ...conditionTexts,
      observedGeneration: { type: 'integer', minimum: 0, description: 'Generation of the spec that it speaks of.' },
    },
  },
} as const;

/** `status.observedGeneration`. */
export const observedGeneration = {
  type: 'integer',
  minimum: 0,
  description: 'Generation of the spec that was read last.',
} as const;
