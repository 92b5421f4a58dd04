import { durationPattern } from '@kollect/core/authoring';
import { isServerPattern } from './server-pattern.ts';

/** A node of a spec's schema. */
export type SchemaNode = Readonly<Record<string, unknown>>;

/** What the API server asks of every node, where the schema says nothing: without bounds no rule can be checked in time. */
export const bounds = {
  text: 4_096,
  duration: 64,
  elements: 100,
  entries: 64,
  number: Number.MAX_SAFE_INTEGER,
} as const;

/**
 * A schema as the API server takes it: structural, every node bounded by itself, unknown fields pruned. Defaults are left to the parser, so that what
 * a user did not write is not in the resource.
 */
export function structuralSchema(schema: SchemaNode): SchemaNode {
  const { description } = schema;
  return {
    ...(description === undefined ? {} : { description }),
    ...shapeOf(schema),
    ...pick(schema, ['x-kubernetes-list-type', 'x-kubernetes-list-map-keys', 'x-kubernetes-validations']),
  };
}

function shapeOf(schema: SchemaNode): SchemaNode {
  const { type } = schema;
  if (Array.isArray(type)) return eitherShape(schema, type as readonly string[]);
  if (type === 'object') return schema['properties'] === undefined ? mapShape(schema) : objectShape(schema);
  if (type === 'array') {
    const { items, minItems, maxItems = bounds.elements } = schema;
    return compact({ type, minItems, maxItems, items: structuralSchema(items as SchemaNode) });
  }
  if (type === 'string') return textShape(schema);
  if (type === 'integer') return { type, format: 'int64', ...range(schema) };
  if (type === 'number') return { type, ...range(schema) };
  return { type };
}

function textShape(schema: SchemaNode): SchemaNode {
  const { type, format, minLength, maxLength = format === 'duration' ? bounds.duration : bounds.text } = schema;
  const pattern = format === 'duration' ? durationPattern : patternOf(schema);
  // Of an enum the server knows by itself how long its texts are.
  return schema['enum'] === undefined
    ? compact({ type, pattern, minLength, maxLength })
    : { type, enum: schema['enum'] };
}

/** One that the server cannot read is left to the parser. */
function patternOf({ pattern }: SchemaNode): string | undefined {
  return typeof pattern === 'string' && isServerPattern(pattern) ? pattern : undefined;
}

function range({ minimum = -bounds.number, maximum = bounds.number }: SchemaNode): SchemaNode {
  return { minimum, maximum };
}

/** The server knows one pair, a whole number or a text; another one is left to the parser. */
function eitherShape(schema: SchemaNode, types: readonly string[]): SchemaNode {
  if (types.includes('integer') && types.includes('string')) {
    return compact({
      'x-kubernetes-int-or-string': true,
      ...pick(schema, ['minimum', 'maximum', 'minLength']),
      pattern: patternOf(schema),
      maxLength: schema['maxLength'] ?? bounds.text,
    });
  }
  return { 'x-kubernetes-preserve-unknown-fields': true };
}

function mapShape(schema: SchemaNode): SchemaNode {
  return {
    type: 'object',
    maxProperties: schema['maxProperties'] ?? bounds.entries,
    additionalProperties: structuralSchema(schema['additionalProperties'] as SchemaNode),
  };
}

function objectShape(schema: SchemaNode): SchemaNode {
  const properties = Object.entries(schema['properties'] as Readonly<Record<string, SchemaNode>>);
  const hasDefault = new Set(properties.flatMap(([name, node]) => ('default' in node ? [name] : [])));
  // What has a default may be left out, and here no default is filled in.
  const required = ((schema['required'] ?? []) as readonly string[]).filter((name) => !hasDefault.has(name));
  return compact({
    type: 'object',
    required: required.length === 0 ? undefined : required,
    properties: Object.fromEntries(properties.map(([name, node]) => [name, structuralSchema(node)])),
  });
}

function pick(schema: SchemaNode, keywords: readonly string[]): SchemaNode {
  return Object.fromEntries(keywords.flatMap((keyword) => (keyword in schema ? [[keyword, schema[keyword]]] : [])));
}

function compact(node: SchemaNode): SchemaNode {
  return Object.fromEntries(Object.entries(node).filter(([, value]) => value !== undefined));
}
