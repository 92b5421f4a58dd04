import type { SealedItem } from '@kollect/core';
import { errorFields } from '@kollect/core/authoring';
import { sqlStateOf } from '../postgres-errors.ts';

/** A statement that the server refused because of what it was to write, and the items that were in it. */
export interface RefusedItems {
  readonly sqlState: string;
  readonly schema: string | undefined;
  readonly constraint: string | undefined;
  readonly items: readonly SealedItem[];
}

/** Values, constraints, sizes, and what triggers raise. */
const ofItems = /^(22|23|54|P0)/;

/** What a write that carried these items was refused for; undefined where the items are not to blame. */
export function refusedItems(error: unknown, items: readonly SealedItem[], table: string): RefusedItems | undefined {
  const sqlState = sqlStateOf(error);
  if (sqlState === undefined || !ofItems.test(sqlState)) return undefined;
  const { schema, constraint, where } = errorFields(error);
  const row = copiedRow(where, table);
  const one = row === undefined ? undefined : items[row];
  return { sqlState, schema: textOf(schema), constraint: textOf(constraint), items: one === undefined ? items : [one] };
}

/** Index of the row that a COPY stopped at: of the server's context, in whatever language, its number alone is read. */
function copiedRow(where: unknown, table: string): number | undefined {
  const lead = `COPY ${table}, `;
  const line = textOf(where)
    ?.split('\n')
    .find((text) => text.startsWith(lead));
  const number = /^\D*(\d+)/.exec(line?.slice(lead.length) ?? '')?.[1];
  return number === undefined ? undefined : Number(number) - 1;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
