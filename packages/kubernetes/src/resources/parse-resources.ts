import { createItemReader, SinkError, type SpecOf, type SpecSchema } from '@kollect/core';
import { createSchemaReader } from '@kollect/core/authoring';
import type { ResourceType } from '../api/kubernetes-api.ts';
import { connectionTestSpecSchema } from './connection-test-schema.ts';
import { inventorySpecSchema } from './inventory-schema.ts';
import { describeResource, fieldsOf, readHead, type ResourceHead } from './resource-head.ts';
import { connectionTestType, inventoryType, profileType, targetType } from './resource-types.ts';
import { profileSpecSchema, targetSpecSchema } from './target-schema.ts';

export type InventorySpec = SpecOf<typeof inventorySpecSchema>;
export type TargetSpec = SpecOf<typeof targetSpecSchema>;
export type ProfileSpec = SpecOf<typeof profileSpecSchema>;
export type ConnectionTestSpec = SpecOf<typeof connectionTestSpecSchema>;

/** A resource of ours that can be used: its head, and its spec with every default filled in. */
export interface Parsed<Spec> extends ResourceHead {
  readonly spec: Spec;
}
export type ParsedInventory = Parsed<InventorySpec>;
export type ParsedTarget = Parsed<TargetSpec>;
export type ParsedProfile = Parsed<ProfileSpec>;
export type ParsedConnectionTest = Parsed<ConnectionTestSpec>;

/** Throws SPEC_INVALID that names the resource and the path of each field. */
export const parseInventory: (resource: unknown) => ParsedInventory = parser(
  inventoryType,
  inventorySpecSchema,
  ({ sinkRefs, targetRefs }) => [...repeated('sinkRefs', sinkRefs), ...repeated('targetRefs', targetRefs)],
);

/** Throws SPEC_INVALID that names the resource and the path of each field. */
export const parseTarget: (resource: unknown) => ParsedTarget = parser(targetType, targetSpecSchema, (spec) => [
  ...(spec.allNamespaces && spec.namespaces !== undefined ? ['$.spec.namespaces: not with allNamespaces'] : []),
  ...selectorProblems(spec),
  ...attributeProblems(spec.attributes),
]);

/** Throws SPEC_INVALID that names the resource and the path of each field. */
export const parseProfile: (resource: unknown) => ParsedProfile = parser(
  profileType,
  profileSpecSchema,
  ({ attributes }) => attributeProblems(attributes),
);

/** Throws SPEC_INVALID that names the resource and the path of each field. */
export const parseConnectionTest: (resource: unknown) => ParsedConnectionTest = parser(
  connectionTestType,
  connectionTestSpecSchema,
  () => [],
);

function parser<const Schema extends SpecSchema>(
  type: ResourceType,
  schema: Schema,
  problemsOf: (spec: SpecOf<Schema>) => readonly string[],
): (resource: unknown) => Parsed<SpecOf<Schema>> {
  const read = createSchemaReader(schema, 'spec');
  return (resource) => {
    const subject = describeResource(type, resource);
    const head = readHead(type, resource);
    const spec = read(fieldsOf(resource)['spec'] ?? {}, subject);
    const problems = problemsOf(spec);
    if (problems.length > 0) throw new SinkError('SPEC_INVALID', `${subject} is invalid: ${problems.join('; ')}.`);
    return { ...head, spec };
  };
}

function repeated(field: string, references: readonly { readonly name: string }[]): readonly string[] {
  const names = references.map(({ name }) => name);
  const at = names.findIndex((name, index) => names.indexOf(name) < index);
  return at === -1 ? [] : [`$.spec.${field}[${String(at)}].name: stands there twice`];
}

function selectorProblems({ labelSelector }: TargetSpec): readonly string[] {
  const expressions = labelSelector?.matchExpressions ?? [];
  return expressions.flatMap(({ operator, values }, index) => {
    const at = `$.spec.labelSelector.matchExpressions[${String(index)}].values`;
    const wantsValues = operator === 'In' || operator === 'NotIn';
    if (wantsValues === values.length > 0) return [];
    return [wantsValues ? `${at}: ${operator} needs one at least` : `${at}: ${operator} takes none`];
  });
}

/** The paths are read as `itemFromObject` reads them, which says what is wrong with each. */
function attributeProblems(attributes: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(attributes).flatMap(([key, path]) => {
    try {
      createItemReader({ target: { namespace: 'any', name: 'any' }, attributes: { [key]: path } });
      return [];
    } catch (error) {
      return [`$.spec.attributes: ${(error as Error).message.replace(/\.$/u, '')}`];
    }
  });
}
