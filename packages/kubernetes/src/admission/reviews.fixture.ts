import { apiVersion } from '../resources/resource-types.ts';
import { resource } from '../resources/resources.fixture.ts';

const [group = '', version = ''] = apiVersion.split('/');

/** A review as an API server sends it. */
export function review(kind: string, spec: unknown, request: Readonly<Record<string, unknown>> = {}): object {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'r-1',
      kind: { group, version, kind },
      namespace: 'shop',
      name: 'portal',
      operation: 'CREATE',
      object: resource(kind, spec, { resourceVersion: undefined }),
      oldObject: null,
      ...request,
    },
  };
}
