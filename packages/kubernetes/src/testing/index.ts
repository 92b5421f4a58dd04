// For the tests of an operator.
export type { KubernetesApi } from '../api/kubernetes-api.ts';
