import { kollectTypes, sinkType } from '../resources/resource-types.ts';

/** A rule of CEL that decides whether admission is asked at all. */
export interface MatchCondition {
  readonly name: string;
  readonly expression: string;
}

/**
 * What goes by unasked, in policy, webhook and handler alike: a change of labels, annotations or finalizers of an object that was there before the
 * rules, so that it can be deleted, also where it has no spec. What is being deleted is still at work: another spec is asked about.
 */
export const matchConditions: readonly MatchCondition[] = [
  { name: 'not-being-deleted', expression: '!has(object.metadata.deletionTimestamp) || has(object.spec)' },
  {
    name: 'spec-is-new',
    expression:
      'request.operation == "CREATE" || !has(object.spec) || !has(oldObject.spec) || object.spec != oldObject.spec',
  },
];

const [group = '', version = ''] = sinkType.apiVersion.split('/');

/** Only resources of ours, only when they are made or changed; never a status, never a deletion. */
function ruleFor(resources: readonly string[]) {
  return {
    apiGroups: [group],
    apiVersions: [version],
    operations: ['CREATE', 'UPDATE'],
    resources,
    scope: 'Namespaced',
  } as const;
}

export const sinksAlone = ruleFor([sinkType.plural]);
export const allResources = ruleFor(kollectTypes.map(({ plural }) => plural));
