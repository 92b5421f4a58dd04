import { SinkError } from '../../contract/errors/errors.ts';
import { formatScope } from '../../contract/snapshot/scope.ts';
import { showText } from '../../contract/errors/show-value.ts';
import type { Scope } from '../../contract/snapshot/snapshot.ts';

const remedy = 'Restore it, or delete it to have it written anew.';

/** The error for a file of the store that cannot be what this package wrote; `problem` says why, without its content. */
export function damagedFile(scope: Scope, key: string, problem: string): SinkError {
  const what = `Inventory ${formatScope(scope)}: ${showText(key)} in the store is damaged or not of this sink: ${problem}.`;
  return new SinkError('SCHEMA_MISMATCH', what, { remedy });
}

/** The same for stored items, wherever they are. */
export function damagedItems(scope: Scope, problem: string): SinkError {
  const what = `Inventory ${formatScope(scope)}: its items in the store are damaged: they ${problem}.`;
  return new SinkError('SCHEMA_MISMATCH', what, { remedy });
}
