export { changeObjects } from './change-objects.ts';
export { collect, describeItem, hold, openInventory, scope, withoutSecrets } from './collect.ts';
export { loadManifests, type LoadedManifests } from './load-manifests.ts';
export type { ManifestObject } from './parse-manifests.ts';
export { UserError } from './user-error.ts';
