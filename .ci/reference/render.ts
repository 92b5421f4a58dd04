import type { SinkRegistry } from '@kollect/core';
import { bounds } from '../../packages/kubernetes/src/crds/structural-schema.ts';
import {
  connectionTestSpecSchema,
  connectionTestStatusSchema,
} from '../../packages/kubernetes/src/resources/connection-test-schema.ts';
import {
  inventorySpecSchema,
  inventoryStatusSchema,
} from '../../packages/kubernetes/src/resources/inventory-schema.ts';
import { sinkSpecSchema, sinkStatusSchema } from '../../packages/kubernetes/src/resources/sink-schema.ts';
import {
  profileSpecSchema,
  targetSpecSchema,
  targetStatusSchema,
} from '../../packages/kubernetes/src/resources/target-schema.ts';

/** A node of a schema, as far as a reader is told of it. */
interface Node {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly default?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | false;
  readonly items?: Node;
}

/** Where each type's own page is. */
const pages: Readonly<Record<string, string>> = {
  postgres: '../postgres.md',
  kafka: '../kafka.md',
  nats: '../nats.md',
};

const samples: Readonly<Record<string, string>> = {
  KollectSink: `type: postgres
postgres: { database: inventory, table: workloads }
secretRef: { name: portal-app, preset: cloudnative-pg }
ca: { secretRef: { name: portal-ca, key: ca.crt } }`,
  KollectInventory: `sinkRefs: [{ name: portal }]
targetRefs: [{ name: workloads }]`,
  KollectTarget: `resources:
  - { apiVersion: apps/v1, kind: Deployment }
labelSelector: { matchLabels: { tier: web } }
profileRef: { name: workload }`,
  KollectProfile: `attributes:
  replicas: .spec.replicas
  images: '.spec.template.spec.containers[*].image'`,
  KollectConnectionTest: `sinkRef: { name: portal }`,
};

/** The page of all resources: a sample and every field of each. */
export function renderReference(registry: SinkRegistry): string {
  const sections = [
    section('KollectSink', 'Where inventories are delivered to.', sinkSpecSchema, sinkStatusSchema),
    ...registry.types.map((type) => block(type, registry.definition(type).specSchema)),
    section(
      'KollectInventory',
      'What is delivered: which targets, and to which sinks.',
      inventorySpecSchema,
      inventoryStatusSchema,
    ),
    section(
      'KollectTarget',
      'Which objects of the cluster an inventory holds, and what is read of them.',
      targetSpecSchema,
      targetStatusSchema,
    ),
    section('KollectProfile', 'What is read of objects, by a name that targets refer to.', profileSpecSchema),
    section(
      'KollectConnectionTest',
      'One connection test of a sink, made once.',
      connectionTestSpecSchema,
      connectionTestStatusSchema,
    ),
  ];
  return `# Resources

Every field of the resources of \`kollect.dev/v1alpha1\`, made from the schemas that the operator reads them by: \`npx -y pnpm@12.21.0 docs:update\` writes this page. The CRDs stand in
\`crds/kollect.dev.yaml\` of [\`@kollect/kubernetes\`](../../packages/kubernetes); those of an operator with sink types of its own are made by its command,
\`kollect-crds @kollect/sink-postgres ./my-sink.js > crds.yaml\`: each word is a package or a file that exports what \`defineSink\` made. A default is what the operator takes where a
field is left out; it is not written into the resource. Where nothing is said, the API server takes texts of ${String(bounds.text)} characters, lists of ${String(bounds.elements)}, and maps of ${String(bounds.entries)}.

${sections.join('\n\n')}
`;
}

function section(kind: string, what: string, spec: Node, status?: Node): string {
  const sample = `apiVersion: kollect.dev/v1alpha1\nkind: ${kind}\nmetadata: { namespace: shop, name: portal }\nspec:\n${indented(samples[kind] ?? '')}`;
  const parts = [
    `## ${kind}`,
    what,
    `\`\`\`yaml\n${sample}\n\`\`\``,
    table('spec', spec),
    ...(status === undefined ? [] : [table('status', status)]),
  ];
  return parts.join('\n\n');
}

function block(type: string, schema: Node): string {
  const page = pages[type];
  const more = page === undefined ? '' : ` What they mean in use: [${type}](${page}).`;
  return `### spec.${type}\n\nThe block of sinks of type \`${type}\`.${more}\n\n${table(`spec.${type}`, schema)}`;
}

function table(root: string, schema: Node): string {
  const rows = rowsOf(root, schema).map((cells) => `| ${cells.join(' | ')} |`);
  return ['| field | is | default | |', '|---|---|---|---|', ...rows].join('\n');
}

type Cells = readonly [field: string, is: string, byDefault: string, description: string];

function rowsOf(path: string, { properties = {}, required = [] }: Node): readonly Cells[] {
  return Object.entries(properties).flatMap(([name, node]) => {
    const isRequired = required.includes(name) && node.default === undefined;
    const own: Cells = [
      `\`${path}.${name}\``,
      kindOf(node),
      isRequired ? 'required' : defaultOf(node),
      (node.description ?? '').replaceAll('|', '\\|'),
    ];
    const below = node.items?.properties === undefined ? node : node.items;
    const at = below === node ? `${path}.${name}` : `${path}.${name}[]`;
    return [own, ...rowsOf(at, below)];
  });
}

function defaultOf(node: Node): string {
  const value = node.default;
  if (value === undefined || (typeof value === 'object' && Object.keys(value ?? {}).length === 0)) return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function kindOf(node: Node): string {
  if (node.enum !== undefined)
    return node.enum.length > 8 ? 'a code' : node.enum.map((word) => `\`${word}\``).join(', ');
  if (node.type === 'array') return `list${range(node.minItems, node.maxItems)} of ${kindOf(node.items ?? {})}`;
  if (node.type === 'object')
    return node.properties === undefined ? `map of texts${range(undefined, node.maxProperties)}` : 'object';
  if (node.format === 'duration') return 'duration';
  if (node.type === 'string') return `text${node.maxLength === undefined ? '' : range(node.minLength, node.maxLength)}`;
  if (node.type === 'boolean') return 'true or false';
  const type = Array.isArray(node.type) ? node.type.join(' or ') : String(node.type);
  return `${type}${range(node.minimum, node.maximum)}`;
}

function range(least: number | undefined, most: number | undefined): string {
  if (least === undefined && most === undefined) return '';
  return most === undefined ? `, ${String(least)} or more` : `, ${String(least ?? 0)} to ${String(most)}`;
}

function indented(text: string): string {
  return text.replaceAll(/^/gmu, '  ');
}
