import type { SchemaNode } from './structural-schema.ts';

/** Lists by their field: what tells two elements apart, so that several writers may own one each and none stands there twice. */
const keysOf: Readonly<Record<string, readonly string[]>> = {
  conditions: ['type'],
  sinkRefs: ['name'],
  targetRefs: ['name'],
  sinks: ['name'],
  resources: ['apiVersion', 'kind'],
  namespaces: [],
};

/** Says of the lists of our own resources that they are maps or sets; the lists of sink types stay as they are. */
export function listMaps(schema: SchemaNode): SchemaNode {
  const { properties } = schema;
  if (properties === undefined) return schema;
  const fields = Object.entries(properties as Readonly<Record<string, SchemaNode>>).map(([name, node]) => [
    name,
    node['type'] === 'array' ? listOf(node, keysOf[name]) : node,
  ]);
  return { ...schema, properties: Object.fromEntries(fields) };
}

function listOf(node: SchemaNode, keys: readonly string[] | undefined): SchemaNode {
  const items = listMaps(node['items'] as SchemaNode);
  if (keys === undefined) return { ...node, items };
  if (keys.length === 0) return { ...node, items, 'x-kubernetes-list-type': 'set' };
  return { ...node, items, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys };
}
