import { formatScope } from '../../contract/snapshot/scope.ts';
import type { Scope } from '../../contract/snapshot/snapshot.ts';
import { quietly } from '../contained-ports.ts';
import { resolvePace } from '../delivery-options.ts';
import type { ExportInventory, InventoryName } from '../exporter-types.ts';
import type { GateRules } from './gate-decision.ts';

export function scopeOf({ cluster, namespace, name }: InventoryName): Scope {
  return {
    ...(cluster === undefined || cluster === '' ? {} : { cluster }),
    inventoryNamespace: namespace,
    inventoryName: name,
  };
}

/** Throws SPEC_INVALID naming the inventory and the field. Where the host's function throws, or answers with a promise, the change counts as material: it is exported rather than held back. */
export function inventoryRules(inventory: ExportInventory): GateRules {
  const { isMaterialChange, ...pace } = inventory.delivery ?? {};
  const resolved = resolvePace(inventory.delivery === undefined ? undefined : pace, formatScope(scopeOf(inventory)));
  if (isMaterialChange === undefined) return resolved;
  return {
    ...resolved,
    isMaterialChange: (previous, next) => {
      let material = true;
      quietly(() => (material = isMaterialChange(previous, next)));
      return material;
    },
  };
}
