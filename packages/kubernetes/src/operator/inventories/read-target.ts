import { SinkError } from '@kollect/core';
import { showText } from '@kollect/core/authoring';
import type { ApiObject, ObjectName } from '../../api/kubernetes-api.ts';
import { formatLabelSelector } from '../../resources/label-selector.ts';
import { parseProfile, parseTarget, type ParsedTarget } from '../../resources/parse-resources.ts';
import type { ObjectKind } from '../watches/discovery.ts';
import type { WatchedSelection } from '../watches/shared-watches.ts';
import type { PlannedTarget } from './collection.ts';

export interface ReadTargetOptions {
  readonly getProfile: (of: ObjectName) => ApiObject | undefined;
  /** Whether targets may select objects of other namespaces than their own. */
  readonly otherNamespaces: 'deny' | 'allow';
}

/** Nobody collects these by a resource: who may write one would read every Secret that the operator may. */
const neverCollected: readonly ObjectKind[] = [{ apiVersion: 'v1', kind: 'Secret' }];

/** What a KollectTarget asks for. Throws SPEC_INVALID. */
export function readTarget(resource: ApiObject, options: ReadTargetOptions): PlannedTarget {
  const target = parseTarget(resource);
  const { namespace, name, spec } = target;
  const refuse = (problem: string): SinkError =>
    new SinkError('SPEC_INVALID', `KollectTarget ${showText(`${namespace}/${name}`)} cannot be used: ${problem}.`);
  for (const { apiVersion, kind } of spec.resources)
    if (neverCollected.some((each) => each.apiVersion === apiVersion && each.kind === kind))
      throw refuse(`$.spec.resources: objects of kind ${kind} are never collected`);
  const namespaces = namespacesOf(target);
  if (options.otherNamespaces === 'deny' && namespaces.some((each) => each !== namespace))
    throw refuse('the operator allows it the objects of its own namespace alone');
  const labelSelector = formatLabelSelector(spec.labelSelector);
  const from = spec.resources.flatMap(({ apiVersion, kind }) =>
    namespaces.map((each): WatchedSelection => ({
      apiVersion,
      kind,
      ...(each === undefined ? {} : { namespace: each }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(spec.fieldSelector === undefined ? {} : { fieldSelector: spec.fieldSelector }),
    })),
  );
  return { target: { namespace, name }, attributes: attributesOf(target, options, refuse), from };
}

/** Undefined: the whole cluster. */
function namespacesOf({ namespace, spec }: ParsedTarget): readonly (string | undefined)[] {
  if (spec.allNamespaces) return [undefined];
  return [...new Set(spec.namespaces ?? [namespace])];
}

function attributesOf(
  { namespace, spec }: ParsedTarget,
  { getProfile }: ReadTargetOptions,
  refuse: (problem: string) => SinkError,
): Readonly<Record<string, string>> {
  if (spec.profileRef === undefined) return spec.attributes;
  const { name } = spec.profileRef;
  const profile = getProfile({ namespace, name });
  if (profile === undefined) throw refuse(`there is no KollectProfile ${showText(name)} in its namespace`);
  return { ...parseProfile(profile).spec.attributes, ...spec.attributes };
}
