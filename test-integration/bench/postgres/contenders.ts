import type { Contender, ContenderOptions } from './contender.ts';
import { createRowAtATime, createUnnestUpsert } from './naive.ts';
import { createOurs } from './ours.ts';

/** Who is measured beside the limits; the key is the variant's name. */
export const contenders = {
  ours: { table: 'ours', create: createOurs },
  unnest: { table: 'naive_unnest', create: createUnnestUpsert },
  'row-at-a-time': { table: 'naive_rows', create: createRowAtATime },
} as const satisfies Record<string, { readonly table: string; create(options: ContenderOptions): Promise<Contender> }>;

export type ContenderName = keyof typeof contenders;

export const contenderNames = Object.keys(contenders) as readonly ContenderName[];

/** From here on a row at a time takes minutes and tells nothing new. */
const neverFrom = 500_000;

export function isWorthwhile(name: ContenderName, items: number): boolean {
  return name !== 'row-at-a-time' || items < neverFrom;
}
