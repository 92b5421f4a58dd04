import { formatScope, SinkError, type ItemKey, type Scope } from '@kollect/core';
import { showText } from '@kollect/core/authoring';
import { quoteIdentifier, type TableNames } from '../schema/table-names.ts';
import { scopeValues } from './fence.ts';
import { binaryTexts } from '../wire/binary-texts.ts';
import type { Session } from '../wire/session.ts';

/** True where the table holds rows of the inventory's name that belong to this scope, soft-deleted ones included, or to other clusters. */
export async function rowsUnderName(
  session: Session,
  names: TableNames,
  scope: Scope,
): Promise<{ readonly own: boolean; readonly foreign: boolean }> {
  const rows = (comparison: '=' | '<>'): string =>
    `EXISTS (SELECT FROM ${names.table} WHERE inventory_namespace = $2 AND inventory_name = $3 AND cluster ${comparison} $1)`;
  const result = await session.query(`SELECT ${rows('=')}, ${rows('<>')}`, scopeValues(scope));
  return { own: result.rows[0]?.[0] === true, foreign: result.rows[0]?.[1] === true };
}

/** True where rows of other clusters hold keys of these items. */
export async function heldByOthers(
  session: Session,
  names: TableNames,
  scope: Scope,
  items: readonly ItemKey[],
): Promise<boolean> {
  const text = `
    SELECT EXISTS (
      SELECT FROM unnest($4::text[], $5::text[]) s(target_name, source_uid), LATERAL (
        SELECT FROM ${names.table} t
        WHERE t.inventory_namespace = $2 AND t.inventory_name = $3 AND t.target_name = s.target_name COLLATE "C" AND t.source_uid = s.source_uid COLLATE "C"
          AND t.cluster <> $1 LIMIT 1
      ) t
    )`;
  const targets = await binaryTexts(items, (item) => item.targetName);
  const uids = await binaryTexts(items, (item) => item.uid);
  const { rows } = await session.query(text, [...scopeValues(scope), targets, uids]);
  return rows[0]?.[0] === true;
}

/** The error for a key that another cluster's row holds, naming both clusters and the way out. */
export async function ownerConflict(session: Session, names: TableNames, scope: Scope): Promise<SinkError> {
  const { rows } = await session.query(
    `SELECT DISTINCT ${quoteIdentifier('cluster')} FROM ${names.table} WHERE inventory_namespace = $2 AND inventory_name = $3 AND cluster <> $1 ORDER BY 1 LIMIT 3`,
    scopeValues(scope),
  );
  const owners = rows.map(([cluster]) => clusterName(String(cluster))).join(', ');
  return new SinkError(
    'CONFLICT',
    `Rows of inventory ${formatScope(scope)} in ${names.table} belong to ${owners === '' ? 'another cluster' : owners}, and ${clusterName(scope.cluster ?? '')} ` +
      'exports items under the same keys. Nothing was written. Set clusterInKey: true, with a table of its own, where clusters share target names and uids.',
    { sinkType: 'postgres', operation: 'export' },
  );
}

function clusterName(cluster: string): string {
  return cluster === '' ? 'no cluster' : `cluster ${showText(cluster)}`;
}
