import type { ResourceType } from '../api/kubernetes-api.ts';

const type = (apiVersion: string, kind: string, plural: string, namespaced = true): ResourceType => ({
  apiVersion,
  kind,
  plural,
  namespaced,
});

/** What a fake serves without being told. */
export const usualTypes: readonly ResourceType[] = [
  type('v1', 'Namespace', 'namespaces', false),
  type('v1', 'Secret', 'secrets'),
  type('v1', 'ConfigMap', 'configmaps'),
  type('v1', 'Pod', 'pods'),
  type('v1', 'Service', 'services'),
  type('v1', 'Event', 'events'),
  type('apps/v1', 'Deployment', 'deployments'),
  type('apps/v1', 'StatefulSet', 'statefulsets'),
  type('coordination.k8s.io/v1', 'Lease', 'leases'),
  type('kollect.dev/v1alpha1', 'KollectSink', 'kollectsinks'),
  type('kollect.dev/v1alpha1', 'KollectInventory', 'kollectinventories'),
  type('kollect.dev/v1alpha1', 'KollectTarget', 'kollecttargets'),
  type('kollect.dev/v1alpha1', 'KollectProfile', 'kollectprofiles'),
  type('kollect.dev/v1alpha1', 'KollectConnectionTest', 'kollectconnectiontests'),
];

const withoutStatus: ReadonlySet<string> = new Set(['secrets', 'configmaps', 'events', 'leases']);

/** True where status is a subresource, and changes of the rest are counted as generations. */
export function hasStatus({ plural }: ResourceType): boolean {
  return !withoutStatus.has(plural);
}
