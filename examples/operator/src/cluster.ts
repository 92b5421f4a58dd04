import { readFileSync } from 'node:fs';
import type { KubeConfig } from '@kubernetes/client-node';
import { clientNode, type ApiObject, type KubernetesApi, type ResourceType } from '@kollect/kubernetes';
import { parseAllDocuments } from 'yaml';

const deploy = (path: string): URL => new URL(`../deploy/${path}`, import.meta.url);
const signal = AbortSignal.timeout(600_000);
const fieldManager = 'example';

/** A client of a cluster as `kubectl` would be. */
export interface Cluster {
  readonly api: Required<KubernetesApi>;
  /** Creates or changes each object of a file of the folder `deploy`, or of those given. */
  apply(objects: string | readonly ApiObject[]): Promise<readonly ApiObject[]>;
  find(apiVersion: string, kind: string): Promise<ResourceType>;
}

export function openCluster(config: KubeConfig): Cluster {
  const api = clientNode(config);
  const known = new Map<string, ResourceType>();
  const find = async (apiVersion: string, kind: string): Promise<ResourceType> => {
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const found = known.get(`${apiVersion} ${kind}`);
      if (found !== undefined) return found;
      for (const type of await api.resourceTypes(apiVersion, { signal })) known.set(`${apiVersion} ${type.kind}`, type);
      // A definition is served a moment after it was made.
      if (!known.has(`${apiVersion} ${kind}`)) await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`The cluster serves no ${kind} of ${apiVersion}.`);
  };
  return {
    api,
    find,
    apply: async (given) => {
      const objects = typeof given === 'string' ? documentsOf(deploy(given)) : given;
      for (const object of objects) {
        const type = await find(String(object.apiVersion), String(object.kind));
        const { name, namespace } = object.metadata;
        const of = namespace === undefined ? { name } : { name, namespace };
        await api.patch(type, of, object, { type: 'apply', fieldManager, signal });
      }
      return objects;
    },
  };
}

function documentsOf(file: URL): readonly ApiObject[] {
  return parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS() as ApiObject);
}
