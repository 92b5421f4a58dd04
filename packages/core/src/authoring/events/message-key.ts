import { SinkError } from '../../contract/errors/errors.ts';
import { formatScope } from '../../contract/snapshot/scope.ts';
import type { Scope } from '../../contract/snapshot/snapshot.ts';

/**
 * The key of every message of the scope: `cluster:namespace/name`, or `namespace/name` without a cluster. SNAPSHOT_INVALID for a scope that
 * no snapshot can have, whose key another one might own.
 */
export function formatMessageKey(scope: Scope): string {
  const key = formatScope(scope);
  const read = split(key);
  // An empty cluster is the same as none.
  if (
    read !== undefined &&
    (read.cluster ?? '') === (scope.cluster ?? '') &&
    read.inventoryNamespace === scope.inventoryNamespace
  )
    return key;
  throw new SinkError(
    'SNAPSHOT_INVALID',
    'The scope cannot be a message key: expected printable text, and namespace and name of the inventory not empty and without "/" and ":".',
  );
}

/** The scope of a key that `formatMessageKey` made. SNAPSHOT_INVALID for any other text. */
export function parseMessageKey(key: string): Scope {
  const scope = split(key);
  if (scope !== undefined) return scope;
  // A foreign key may be somebody's data: it is not shown.
  throw new SinkError(
    'SNAPSHOT_INVALID',
    `The message key (${key.length} characters) is none of ours: expected cluster:namespace/name or namespace/name, printable.`,
    { operation: 'read' },
  );
}

/** Only the cluster may hold ":" and "/", so the last ":" is the one that ends it. */
function split(key: string): Scope | undefined {
  const [, cluster, inventoryNamespace, inventoryName] = /^(?:(.+):)?([^/:]+)\/([^/:]+)$/su.exec(key) ?? [];
  if (inventoryNamespace === undefined || inventoryName === undefined || /[\p{Control}\p{Surrogate}]/u.test(key))
    return undefined;
  return { ...(cluster === undefined ? undefined : { cluster }), inventoryNamespace, inventoryName };
}
