import type { KubernetesApi, ResourceType } from '../api/kubernetes-api.ts';
import type { SecretReader } from './secret-types.ts';

const core = { apiVersion: 'v1', namespaced: true } as const;
const secrets: ResourceType = { ...core, kind: 'Secret', plural: 'secrets' };
const configMaps: ResourceType = { ...core, kind: 'ConfigMap', plural: 'configmaps' };

/** Reads them one by one, by name: `get` is the only permission that it needs, and a Role can name each. */
export function apiSecretReader(api: Pick<KubernetesApi, 'get'>): SecretReader {
  return {
    getSecret: (of, options) => api.get(secrets, of, options),
    getConfigMap: (of, options) => api.get(configMaps, of, options),
  };
}
