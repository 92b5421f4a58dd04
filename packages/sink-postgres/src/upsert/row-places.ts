import type { ItemKey, Scope } from '@kollect/core';
import { binaryTexts } from '../wire/binary-texts.ts';
import type { Session } from '../wire/session.ts';
import type { TableNames } from '../schema/table-names.ts';
import { scopeValues } from './fence.ts';

/** A `ctid` in binary format: four bytes of block, two of line. */
export const placeLength = 6;

/** What PostgreSQL prints as `(block,line)`. */
export function placeOf(text: string): number {
  const comma = text.indexOf(',');
  return Number(text.slice(1, comma)) * 0x1_0000 + Number(text.slice(comma + 1, -1));
}

/** Where the live rows of these keys are, in any order; keys that have none are left out. */
export async function placesOf(
  session: Session,
  names: TableNames,
  scope: Scope,
  keys: readonly ItemKey[],
  { softDeletes }: { readonly softDeletes: boolean },
): Promise<Buffer> {
  if (keys.length === 0) return Buffer.alloc(0);
  // The row of each key by the index, one at a time: a join may read the whole scope.
  const text = `
    SELECT t.ctid::text
    FROM unnest($4::text[], $5::text[]) s(target_name, source_uid), LATERAL (
      SELECT t.ctid FROM ${names.table} t
      WHERE t.cluster = $1 AND t.inventory_namespace = $2 AND t.inventory_name = $3 AND t.target_name = s.target_name COLLATE "C"
        AND t.source_uid = s.source_uid COLLATE "C" ${softDeletes ? 'AND t.deleted_at IS NULL' : ''}
      LIMIT 1
    ) t`;
  const parameters = [
    await binaryTexts(keys, ({ targetName }) => targetName),
    await binaryTexts(keys, ({ uid }) => uid),
  ];
  const places = Buffer.allocUnsafe(keys.length * placeLength);
  let at = 0;
  await session.eachRow(text, [...scopeValues(scope), ...parameters], ([place]) => {
    at = places.writeUIntBE(placeOf(String(place)), at, placeLength);
  });
  return places.subarray(0, at);
}
