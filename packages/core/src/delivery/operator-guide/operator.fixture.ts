import {
  AppsV1Api,
  CustomObjectsApi,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  type V1ObjectMeta,
} from '@kubernetes/client-node';
import { createInventory, type DeliveryReport, type Exporter } from '@kollect/core';

/** The operator's own resource: where the workloads of the cluster are exported to. */
interface Inventory extends KubernetesObject {
  readonly metadata: V1ObjectMeta;
  readonly spec: { readonly sinks: readonly string[] };
}

const resource = { group: 'example.dev', version: 'v1', plural: 'inventories' };
const finalizer = 'example.dev/exported';
const target = { namespace: 'platform', name: 'deployments' };
const attributes = ['.metadata.labels', '.spec.replicas', '.spec.template.spec.containers[*].image'];

export interface OperatorOptions {
  readonly config: KubeConfig;
  readonly exporter: Exporter;
  readonly cluster: string;
  /** How long after the last visit an inventory is looked at again, and a broken informer is started again. */
  readonly intervalMs?: number;
}

export async function startOperator({ config, exporter, cluster, intervalMs = 5_000 }: OperatorOptions) {
  const apps = config.makeApiClient(AppsV1Api);
  const custom = config.makeApiClient(CustomObjectsApi);
  const stopping = new AbortController();

  const watch = async <T extends KubernetesObject>(path: string, list: () => Promise<KubernetesListObject<T>>) => {
    // An informer whose first list failed is as empty as a cluster without such objects.
    let listed = false;
    const informer = makeInformer(config, path, async () => {
      const result = await list();
      listed = true;
      return result;
    });
    const start = (): void => void informer.start().catch(restart);
    const restart = (): void => {
      if (!stopping.signal.aborted) setTimeout(start, intervalMs).unref();
    };
    // After an error an informer of client-node stands still until it is started again.
    informer.on('error', restart);
    await informer.start().catch(restart);
    return { list: () => informer.list(), stop: () => informer.stop(), isListed: () => listed };
  };

  const deployments = await watch('/apis/apps/v1/deployments', () => apps.listDeploymentForAllNamespaces());
  const inventories = await watch<Inventory>(`/apis/${resource.group}/${resource.version}/${resource.plural}`, () =>
    custom.listClusterCustomObject(resource),
  );

  const reading = { target, attributes, apiVersion: 'apps/v1', kind: 'Deployment' };
  /** By uid, what each inventory holds: an object that is as it was costs nothing when it is sealed again. */
  const kept = new Map<string, ReturnType<typeof createInventory>>();
  const snapshotOf = async ({ metadata: { namespace = '', name = '', uid = '', generation = 1 } }: Inventory) => {
    const held = kept.get(uid) ?? createInventory({ cluster, inventoryNamespace: namespace, inventoryName: name });
    kept.set(uid, held);
    await held.replaceObjects(deployments.list(), reading);
    // What was not listed is not gone.
    if (!deployments.isListed()) held.markIncomplete(target);
    return held.seal({ generation });
  };

  const mergePatch = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
  const refTo = ({ metadata: { namespace = '', name = '' } }: Inventory) => ({ ...resource, namespace, name });
  const setFinalizers = async (inventory: Inventory, finalizers: readonly string[]): Promise<void> => {
    // With its resourceVersion the patch fails where somebody changed the list meanwhile; the next visit tries again.
    const body = { metadata: { finalizers, resourceVersion: inventory.metadata.resourceVersion } };
    await custom.patchNamespacedCustomObject({ ...refTo(inventory), body }, mergePatch);
  };

  /** By uid, what was written last: a status that is written at each visit wakes its own watch. */
  const written = new Map<string, string>();
  const writeStatus = async (inventory: Inventory, { sinks }: DeliveryReport): Promise<void> => {
    const { uid = '', generation } = inventory.metadata;
    const status = {
      observedGeneration: generation,
      sinks: sinks.map(({ sink, error }) => ({
        name: sink,
        ready: error === undefined,
        reason: error?.reason ?? 'Delivered',
        message: error?.message ?? '',
      })),
    };
    if (written.get(uid) === JSON.stringify(status)) return;
    await custom.patchNamespacedCustomObjectStatus({ ...refTo(inventory), body: { status } }, mergePatch);
    written.set(uid, JSON.stringify(status));
  };

  const visit = async (inventory: Inventory): Promise<void> => {
    const { namespace = '', name = '', uid = '', finalizers = [], deletionTimestamp } = inventory.metadata;
    const exported = { cluster, namespace, name, sinks: inventory.spec.sinks };
    if (deletionTimestamp !== undefined) {
      if (!finalizers.includes(finalizer)) return;
      const { ok } = await exporter.removeInventory(exported, { removedAt: deletionTimestamp });
      if (!ok) return;
      written.delete(uid);
      kept.delete(uid);
      return setFinalizers(
        inventory,
        finalizers.filter((one) => one !== finalizer),
      );
    }
    // First the finalizer, then the export: what nobody removes must not be written.
    if (!finalizers.includes(finalizer)) return setFinalizers(inventory, [...finalizers, finalizer]);
    await writeStatus(inventory, await exporter.export(exported, await snapshotOf(inventory)));
  };

  const busy = new Set<string>();
  const visitAll = (): void => {
    for (const inventory of inventories.list()) {
      const { uid = '', name } = inventory.metadata;
      // A sink that is slow holds up its own inventory alone.
      if (busy.has(uid)) continue;
      busy.add(uid);
      visit(inventory)
        .catch((error: unknown) => console.error(`The visit of inventory ${name} failed.`, error))
        .finally(() => busy.delete(uid));
    }
  };
  const timer = setInterval(visitAll, intervalMs);
  visitAll();

  return {
    async stop(): Promise<void> {
      stopping.abort();
      clearInterval(timer);
      await Promise.all([deployments.stop(), inventories.stop()]);
      await exporter.close({ deadline: '20s' });
    },
  };
}
