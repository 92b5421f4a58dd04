import { SinkError } from '../errors/errors.ts';
import { formatScope } from './scope.ts';
import { showText } from '../errors/show-value.ts';
import type { InventorySnapshot, ItemIdentity, Scope } from './snapshot.ts';

type Target = Pick<ItemIdentity, 'targetNamespace' | 'targetName'>;

/**
 * Tells whether the target of an item is among those whose listing was cut short. They are named `namespace/name`, or by the bare name,
 * which means the targets of that name in every namespace.
 */
export function incompleteTargetTest(incompleteTargets: readonly string[]): (item: Target) => boolean {
  const names = new Set(incompleteTargets);
  if (names.size === 0) return () => false;
  return ({ targetNamespace, targetName }) => names.has(targetName) || names.has(`${targetNamespace}/${targetName}`);
}

/** Throws SNAPSHOT_INVALID for a bare name that items of several namespaces have: one of these targets may well be complete. */
export function refuseAmbiguousTargets(scope: Scope, names: readonly string[], items: readonly Target[]): void {
  if (names.length === 0) return;
  const namespaces = new Map(names.map((name) => [name, new Set<string>()]));
  for (const { targetNamespace, targetName } of items) namespaces.get(targetName)?.add(targetNamespace);
  for (const [name, found] of namespaces) {
    if (found.size < 2) continue;
    const choices = [...found].slice(0, 3).map((namespace) => showText(`${namespace}/${name}`));
    throw new SinkError(
      'SNAPSHOT_INVALID',
      `Inventory ${formatScope(scope)}: incompleteTargets names ${showText(name)}, which several namespaces have: say ${choices.join(' or ')}.`,
      { operation: 'seal' },
    );
  }
}

/** Incomplete targets of which the snapshot holds no item: cut off before the first one, or misspelled and so without any effect. */
export function unlistedTargets({
  incompleteTargets,
  items,
}: Pick<InventorySnapshot, 'incompleteTargets' | 'items'>): readonly string[] {
  const unlisted = new Set(incompleteTargets);
  for (const { targetNamespace, targetName } of items) {
    if (unlisted.size === 0) break;
    unlisted.delete(targetName);
    unlisted.delete(`${targetNamespace}/${targetName}`);
  }
  return [...unlisted];
}
