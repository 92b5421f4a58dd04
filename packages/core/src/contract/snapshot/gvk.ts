import type { ItemIdentity } from './snapshot.ts';

/** `apps/v1/Deployment`, and `v1/Pod` for the core group. */
export function formatGvk({ group, version, kind }: Pick<ItemIdentity, 'group' | 'version' | 'kind'>): string {
  return group === undefined || group === '' ? `${version}/${kind}` : `${group}/${version}/${kind}`;
}
