import type { SinkRegistry, SpecSchema } from '@kollect/core';
import { connectionTestSpecSchema, connectionTestStatusSchema } from '../resources/connection-test-schema.ts';
import { inventorySpecSchema, inventoryStatusSchema } from '../resources/inventory-schema.ts';
import { connectionTestType, inventoryType, profileType, sinkType, targetType } from '../resources/resource-types.ts';
import { sinkStatusSchema } from '../resources/sink-schema.ts';
import { profileSpecSchema, targetSpecSchema, targetStatusSchema } from '../resources/target-schema.ts';
import type { ResourceType } from '../api/kubernetes-api.ts';
import type { ValidationRule } from './cel.ts';
import { listMaps } from './list-maps.ts';
import { sinkSpecNode } from './sink-spec-node.ts';
import { structuralSchema, type SchemaNode } from './structural-schema.ts';

/** A CustomResourceDefinition, as `kubectl apply --server-side` and the API take it. */
export interface CustomResourceDefinition {
  readonly apiVersion: 'apiextensions.k8s.io/v1';
  readonly kind: 'CustomResourceDefinition';
  readonly metadata: { readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date' | 'boolean';
  readonly jsonPath: string;
  readonly description: string;
  /** 1: shown with `-o wide` alone. */
  readonly priority?: number;
}

interface Resource {
  readonly type: ResourceType;
  readonly shortNames: readonly string[];
  readonly description: string;
  readonly spec: SchemaNode;
  readonly status?: SchemaNode;
  readonly columns: readonly Column[];
}

const condition = (type: string, field: string): string => `.status.conditions[?(@.type=="${type}")].${field}`;
const age: Column = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'How old it is.',
};
const ready: readonly Column[] = [
  { name: 'Ready', type: 'string', jsonPath: condition('Ready', 'status'), description: 'Whether it works.' },
  { name: 'Reason', type: 'string', jsonPath: condition('Ready', 'reason'), description: 'Why, in a word.' },
];

/** The CRDs of all five resources; `spec.<type>` of a KollectSink has a block for each type of the registry, those of others included. */
export function generateCrds(registry: SinkRegistry): readonly CustomResourceDefinition[] {
  const resources: readonly Resource[] = [
    {
      type: sinkType,
      shortNames: ['ksink'],
      description: 'Where inventories are delivered to.',
      spec: sinkSpecNode(registry),
      status: sinkStatusSchema,
      columns: [
        { name: 'Type', type: 'string', jsonPath: '.spec.type', description: 'Type of the sink.' },
        ...ready,
        {
          name: 'Synced',
          type: 'string',
          jsonPath: condition('Synced', 'status'),
          description: 'Whether it holds all.',
        },
        age,
      ],
    },
    {
      type: inventoryType,
      shortNames: ['kinv'],
      description: 'An inventory: which targets, delivered to which sinks.',
      spec: inventorySpecSchema,
      status: inventoryStatusSchema,
      columns: [
        ...ready,
        { name: 'Items', type: 'integer', jsonPath: '.status.items', description: 'Items that were exported last.' },
        {
          name: 'Suspended',
          type: 'boolean',
          jsonPath: '.spec.suspend',
          description: 'Whether it rests.',
          priority: 1,
        },
        age,
      ],
    },
    {
      type: targetType,
      shortNames: ['ktgt'],
      description: 'Which objects an inventory holds, and what is read of them.',
      spec: withRules(targetSpecSchema, [notBoth]),
      status: targetStatusSchema,
      columns: [...ready, age],
    },
    {
      type: profileType,
      shortNames: ['kprof'],
      description: 'What is read of objects, by a name that targets refer to.',
      spec: profileSpecSchema,
      columns: [age],
    },
    {
      type: connectionTestType,
      shortNames: ['kct'],
      description: 'One connection test of a sink, made once.',
      spec: withRules(connectionTestSpecSchema, [sameSink]),
      status: connectionTestStatusSchema,
      columns: [
        { name: 'Sink', type: 'string', jsonPath: '.spec.sinkRef.name', description: 'The sink that is tested.' },
        {
          name: 'Verified',
          type: 'string',
          jsonPath: condition('ConnectionVerified', 'status'),
          description: 'Whether all steps went well.',
        },
        { name: 'Code', type: 'string', jsonPath: '.status.code', description: 'What went wrong.' },
        age,
      ],
    },
  ];
  return resources.map(definitionOf);
}

const notBoth: ValidationRule = {
  rule: '!(has(self.namespaces) && has(self.allNamespaces) && self.allNamespaces)',
  message: 'give namespaces or allNamespaces, not both',
  fieldPath: '.namespaces',
};

const sameSink: ValidationRule = {
  rule: 'self.sinkRef.name == oldSelf.sinkRef.name',
  message: 'a test is made once, of one sink; make another test',
  fieldPath: '.sinkRef',
};

function withRules(schema: SpecSchema, rules: readonly ValidationRule[]): SchemaNode {
  return { ...schema, 'x-kubernetes-validations': rules };
}

function definitionOf({ type, shortNames, description, spec, status, columns }: Resource): CustomResourceDefinition {
  const [group = '', version = ''] = type.apiVersion.split('/');
  const singular = type.kind.toLowerCase();
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${type.plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: {
        kind: type.kind,
        listKind: `${type.kind}List`,
        plural: type.plural,
        singular,
        shortNames,
        categories: ['kollect'],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          ...(status === undefined ? {} : { subresources: { status: {} } }),
          additionalPrinterColumns: columns,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description,
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                spec: structuralSchema(listMaps(spec)),
                ...(status === undefined ? {} : { status: structuralSchema(listMaps(status)) }),
              },
            },
          },
        },
      ],
    },
  };
}
