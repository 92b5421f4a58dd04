import { showText } from '@kollect/core/authoring';
import { currentViewColumns } from './ddl.ts';
import type { ResolvedPostgresSpec } from '../postgres-spec.ts';
import type { FoundRelation, Inspection } from './table-inspection.ts';
import { deletedAtColumn, exportsLayout, tableLayout, type TableIndex, type TableLayout } from './table-layout.ts';
import { bareNames, tableNames } from './table-names.ts';

/** One way in which the database differs from what a spec needs. */
export interface Difference {
  /** A clause for a message: `"public"."inventory" lacks column payload`. */
  readonly text: string;
  /** `absent`: a relation is not there. `partial`: DDL can add what is missing. `wrong`: only a person can change it. */
  readonly kind: 'absent' | 'partial' | 'wrong';
}

/** Every difference there is, so that a person has to look once. */
export function tableDifferences(spec: ResolvedPostgresSpec, found: Inspection): readonly Difference[] {
  if (!found.schemaExists) return [{ text: `schema ${showText(spec.schema)} does not exist`, kind: 'wrong' }];
  const names = tableNames(spec);
  const bare = bareNames(spec.table);
  return [
    ...relationDifferences(names.table, tableLayout(spec), found.relations[bare.table]),
    ...leftoverSoftDeletes(spec, found.relations[bare.table]),
    ...relationDifferences(names.exports, exportsLayout(spec), found.relations[bare.exports]),
    ...(spec.mode === 'upsert' ? viewDifferences(names.current, spec, found.relations[bare.current]) : []),
  ];
}

/** Rows that were soft-deleted once would neither come back nor go away under `deletes: hard`, which looks at no `deleted_at`. */
function leftoverSoftDeletes(spec: ResolvedPostgresSpec, found: FoundRelation | undefined): Difference[] {
  const column = deletedAtColumn.name;
  if (spec.mode === 'append' || spec.deletes === 'soft' || found?.columns.some(({ name }) => name === column) !== true)
    return [];
  const { table } = tableNames(spec);
  const remedy = `DELETE FROM ${table} WHERE ${column} IS NOT NULL; ALTER TABLE ${table} DROP COLUMN ${column} CASCADE`;
  return [
    { text: `${table} has column ${column} of deletes: soft; keep deletes: soft, or run ${remedy}`, kind: 'wrong' },
  ];
}

function relationDifferences(sql: string, layout: TableLayout, found: FoundRelation | undefined): Difference[] {
  if (found === undefined) return [{ text: `table ${sql} does not exist`, kind: 'absent' }];
  if (found.kind !== 'r' && found.kind !== 'p') return [{ text: `${sql} is no table`, kind: 'wrong' }];
  return [
    ...columnDifferences(sql, layout, found),
    ...keyDifferences(sql, layout, found),
    ...indexDifferences(sql, layout.indexes, found),
    ...partitionDifferences(sql, layout, found),
  ];
}

function columnDifferences(sql: string, layout: TableLayout, found: FoundRelation): Difference[] {
  const differences: Difference[] = [];
  const add = (text: string, kind: Difference['kind'] = 'wrong') => differences.push({ text: `${sql} ${text}`, kind });
  for (const column of layout.columns) {
    const there = found.columns.find(({ name }) => name === column.name);
    if (there === undefined) {
      add(`lacks column ${column.name} (${column.type})`, column.name === deletedAtColumn.name ? 'partial' : 'wrong');
      continue;
    }
    if (there.type !== column.type) add(`has column ${column.name} of type ${there.type}, expected ${column.type}`);
    if (there.nullable && !column.nullable) add(`has column ${column.name} that may be NULL, expected NOT NULL`);
    if (!there.nullable && column.nullable) add(`has column ${column.name} NOT NULL, expected one that may be NULL`);
    if (!there.filled && (column.default !== undefined || column.identity === true)) {
      add(
        `has column ${column.name} without a default, expected ${column.identity === true ? 'an identity' : `DEFAULT ${column.default ?? ''}`}`,
      );
    }
    if (column.key === true && !there.deterministic)
      add(`has column ${column.name} with a collation that takes different keys for equal, expected "C"`);
  }
  for (const extra of found.columns) {
    if (layout.columns.some(({ name }) => name === extra.name) || extra.nullable || extra.filled) continue;
    add(`has column ${extra.name} of its own, NOT NULL and without a default, which the sink would not fill`);
  }
  return differences;
}

function keyDifferences(sql: string, { primaryKey, unique }: TableLayout, { indexes }: FoundRelation): Difference[] {
  const differences: Difference[] = [];
  const expected = primaryKey.columns.join(', ');
  const primary = indexes.find((index) => index.primary)?.columns.join(', ');
  if (primary !== expected) {
    differences.push({
      text: `${sql} has ${primary === undefined ? 'no primary key' : `the primary key (${primary})`}, expected (${expected})`,
      kind: 'wrong',
    });
  }
  if (unique === undefined) return differences;
  const wanted = unique.columns.toSorted().join();
  if (!indexes.some((index) => index.unique && index.columns.toSorted().join() === wanted)) {
    differences.push({ text: `${sql} lacks a unique constraint on (${unique.columns.join(', ')})`, kind: 'wrong' });
  }
  return differences;
}

/** By method and columns: an index that serves the same reads may have any name. */
function indexDifferences(sql: string, indexes: readonly TableIndex[], found: FoundRelation): Difference[] {
  return indexes.flatMap((index) => {
    const columns = index.columns.join(', ');
    if (found.indexes.some((there) => there.method === index.method && there.columns.join(', ') === columns)) return [];
    return [{ text: `${sql} lacks a valid ${index.method} index on (${columns})`, kind: 'partial' as const }];
  });
}

function partitionDifferences(sql: string, { partitions }: TableLayout, found: FoundRelation): Difference[] {
  const there = found.kind === 'p' ? found.partitions : 0;
  if (there === partitions && (found.kind === 'p') === partitions > 0) return [];
  const describe = (count: number) => (count === 0 ? 'no partitions' : `${String(count)} partitions`);
  // Some but not all: a run that made them by hand was cut short.
  const divided = found.modulus === null || found.modulus === partitions;
  const kind = found.kind === 'p' && there < partitions && divided ? 'partial' : 'wrong';
  return [{ text: `${sql} has ${describe(there)}, expected ${describe(partitions)}`, kind }];
}

function viewDifferences(sql: string, spec: ResolvedPostgresSpec, found: FoundRelation | undefined): Difference[] {
  if (found === undefined) return [{ text: `view ${sql} does not exist`, kind: 'partial' }];
  if (found.kind !== 'v') return [{ text: `${sql} is no view`, kind: 'wrong' }];
  const lacking = currentViewColumns.filter((column) => !found.columns.some(({ name }) => name === column));
  if (lacking.length > 0) return [{ text: `view ${sql} lacks ${lacking.join(', ')}`, kind: 'wrong' }];
  const hidesDeleted = found.reads.includes(deletedAtColumn.name);
  return spec.deletes === 'soft' && !hidesDeleted
    ? [{ text: `view ${sql} shows rows that are soft-deleted`, kind: 'partial' }]
    : [];
}
