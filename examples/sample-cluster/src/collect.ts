import { createHash } from 'node:crypto';
import {
  createInventory,
  formatGvk,
  itemFromObject,
  sealSnapshot,
  type Inventory,
  type InventorySnapshot,
  type Item,
  type ReplacementCounts,
  type Scope,
} from '@kollect/core';
import type { ManifestObject } from './parse-manifests.ts';

/** The inventory that the examples keep. */
export const scope: Scope = { cluster: 'demo', inventoryNamespace: 'demo', inventoryName: 'everything' };

const target = { namespace: 'demo', name: 'all-objects' };

/** What is worth knowing of an object, whatever its kind: a path that leads nowhere leaves its attribute out. */
const attributes = {
  labels: '.metadata.labels',
  annotations: '.metadata.annotations',
  displayName: '.metadata.annotations["shop.example.com/display-name"]',
  replicas: '.spec.replicas',
  images: '.spec.template.spec.containers[*].image',
  schedule: '.spec.schedule',
  type: '.spec.type',
  ports: '.spec.ports[*].port',
  hosts: '.spec.rules[*].host',
  storage: '.spec.resources.requests.storage',
  conditions: '.status.conditions',
  health: '.status.health.status',
  locale: '.spec.locale',
  motto: '.spec.motto',
};

/** Secrets stay where they are: what an inventory says, everybody who may read the table knows. */
export function withoutSecrets(objects: readonly ManifestObject[]): readonly ManifestObject[] {
  return objects.filter(({ apiVersion, kind }) => !(apiVersion === 'v1' && kind === 'Secret'));
}

/** All objects as one sealed snapshot of the inventory. */
export function collect(
  objects: readonly ManifestObject[],
  { generation, exportedAt }: { generation: number; exportedAt: Date },
): Promise<InventorySnapshot> {
  return sealSnapshot({ ...scope, generation, exportedAt, items: objects.map(toItem) });
}

/** The same inventory as an operator keeps it between its exports. */
export function openInventory(): Inventory {
  return createInventory(scope);
}

/** Makes it hold these objects, as after a list of all of them; those that are as they were cost nothing at its next seal. */
export function hold(inventory: Inventory, objects: readonly ManifestObject[]): Promise<ReplacementCounts> {
  return inventory.replaceTarget(target, objects.map(toItem));
}

function toItem(object: ManifestObject): Item {
  const withUid = { ...object, metadata: { ...object.metadata, uid: object.metadata.uid ?? derivedUid(object) } };
  return itemFromObject(withUid, { target, attributes });
}

const uidNamespace = Buffer.from('8f0e3a5c6d1b4e7f9a2c5b8d1e4f7a0c', 'hex');

/** The API server gives every object a uid and a file does not: this one (UUID version 5) is the same for the same object at every run. */
export function derivedUid({ apiVersion, kind, metadata }: ManifestObject): string {
  const name = [apiVersion, kind, metadata.namespace ?? '', metadata.name].join('\n');
  const bytes = createHash('sha1').update(uidNamespace).update(name).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, '$1-$2-$3-$4-$5');
}

/** `apps/v1/Deployment shop/web`, for people. */
export function describeItem(item: Item | InventorySnapshot['items'][number]): string {
  return `${formatGvk(item)} ${item.namespace === '' ? item.name : `${item.namespace}/${item.name}`}`;
}
