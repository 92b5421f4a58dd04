import type { ManifestObject } from './parse-manifests.ts';

/** The cluster some time later: up to three objects changed, up to two gone, one new. */
export function changeObjects(objects: readonly ManifestObject[]): readonly ManifestObject[] {
  const scaled = objects.filter(({ spec }) => typeof spec?.replicas === 'number');
  const changed = new Set((scaled.length > 0 ? scaled : objects).slice(0, 3));
  const removed = new Set(objects.filter((object) => !changed.has(object)).slice(-2));
  return [
    ...objects
      .filter((object) => !removed.has(object))
      .map((object) => (changed.has(object) ? change(object) : object)),
    canary,
  ];
}

function change(object: ManifestObject): ManifestObject {
  const { spec, metadata } = object;
  if (typeof spec?.replicas === 'number') return { ...object, spec: { ...spec, replicas: spec.replicas + 1 } };
  return { ...object, metadata: { ...metadata, labels: { ...metadata.labels, 'demo.kollect.dev/changed': 'yes' } } };
}

const canary: ManifestObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'kollect-demo-canary', namespace: 'default', labels: { 'app.kubernetes.io/name': 'canary' } },
  spec: {
    replicas: 1,
    template: { spec: { containers: [{ name: 'canary', image: 'registry.example.com/shop/canary:0.1.0' }] } },
  },
};
