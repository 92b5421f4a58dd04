import { createItemReader, SinkError, type SpecOf, type SpecSchema } from '@kollect/core';
import { createSchemaReader, showText } from '@kollect/core/authoring';
import type { ResourceType } from '../api/kubernetes-api.ts';
import { connectionTestSpecSchema } from './connection-test-schema.ts';
import { inventorySpecSchema } from './inventory-schema.ts';
import { describeResource, fieldsOf, readHead, type ResourceHead } from './resource-head.ts';
import { connectionTestType, inventoryType, profileType, targetType } from './resource-types.ts';
import { labelKey, profileSpecSchema, targetSpecSchema } from './target-schema.ts';

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
  ({ sinkRefs, targetRefs }) => [
    ...repeated('sinkRefs', sinkRefs, ({ name }) => name, '.name'),
    ...repeated('targetRefs', targetRefs, ({ name }) => name, '.name'),
  ],
);

/** Throws SPEC_INVALID that names the resource and the path of each field. */
export const parseTarget: (resource: unknown) => ParsedTarget = parser(targetType, targetSpecSchema, (spec) => [
  ...(spec.allNamespaces && spec.namespaces !== undefined ? ['$.spec.namespaces: not with allNamespaces'] : []),
  ...repeated('namespaces', spec.namespaces ?? [], (name) => name),
  ...resourceProblems(spec),
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

function repeated<Element>(
  field: string,
  elements: readonly Element[],
  nameOf: (element: Element) => string,
  below = '',
): readonly string[] {
  const names = elements.map(nameOf);
  const at = names.findIndex((name, index) => names.indexOf(name) < index);
  return at === -1 ? [] : [`$.spec.${field}[${String(at)}]${below}: stands there twice`];
}

/** One object has the same uid in every version of its type, and may stand in a target once. */
function resourceProblems({ resources }: TargetSpec): readonly string[] {
  const types = resources.map(({ apiVersion, kind }) => `${apiVersion.replace(/\/?[^/]*$/u, '')}/${kind}`);
  const at = types.findIndex((type, index) => types.indexOf(type) < index);
  if (at === -1) return [];
  const first = types.indexOf(types[at] ?? '');
  return [`$.spec.resources[${String(at)}]: the same objects as resources[${String(first)}]; name one version of them`];
}

function selectorProblems({ labelSelector }: TargetSpec): readonly string[] {
  const { matchLabels = {}, matchExpressions = [] } = labelSelector ?? {};
  const badKey = Object.keys(matchLabels).find((key) => !isLabelKey(key));
  const ofLabels =
    badKey === undefined ? [] : [`$.spec.labelSelector.matchLabels: ${showText(badKey)} is no key of a label`];
  const ofExpressions = matchExpressions.flatMap(({ operator, values }, index) => {
    const at = `$.spec.labelSelector.matchExpressions[${String(index)}].values`;
    const wantsValues = operator === 'In' || operator === 'NotIn';
    if (wantsValues === values.length > 0) return [];
    return [wantsValues ? `${at}: ${operator} needs one at least` : `${at}: ${operator} takes none`];
  });
  return [...ofLabels, ...ofExpressions];
}

function isLabelKey(key: string): boolean {
  return key.length <= labelKey.maxLength && new RegExp(labelKey.pattern, 'u').test(key);
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
