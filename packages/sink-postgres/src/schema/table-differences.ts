import { showText } from '@kollect/core/authoring';
import { currentViewColumns } from './ddl.ts';
import type { ResolvedPostgresSpec } from '../postgres-spec.ts';
import type { FoundRelation, Inspection } from './table-inspection.ts';
import {
  catalogueTypes,
  deletedAtColumn,
  exportsLayout,
  tableLayout,
  type TableIndex,
  type TableLayout,
} from './table-layout.ts';
import { bareNames, quoteIdentifier, tableNames } from './table-names.ts';

/** One way in which the database differs from what a spec needs. */
export interface Difference {
  /** A clause for a message: `"public"."inventory" lacks column payload`. */
  readonly text: string;
  /** `absent`: a relation is not there. `partial`: DDL can add what is missing. `wrong`: only a person can change it. */
  readonly kind: 'absent' | 'partial' | 'wrong';
  /** Only its owner can add what is missing, and the user is not. */
  readonly needsOwner?: true;
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
    ...takenNames(spec, found),
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
    ...brokenPromises(sql, found),
    ...columnDifferences(sql, layout, found),
    ...keyDifferences(sql, layout, found),
    ...indexDifferences(sql, layout.indexes, found),
    ...partitionDifferences(sql, layout, found),
  ];
}

function columnDifferences(sql: string, layout: TableLayout, found: FoundRelation): Difference[] {
  const differences: Difference[] = [];
  const add = (text: string) => differences.push({ text: `${sql} ${text}`, kind: 'wrong' });
  for (const column of layout.columns) {
    const there = found.columns.find(({ name }) => name === column.name);
    if (there === undefined) {
      const text = `${sql} lacks column ${column.name} (${column.type})`;
      differences.push(column.name === deletedAtColumn.name ? partial(text, found) : { text, kind: 'wrong' });
      continue;
    }
    if (there.plainType !== catalogueTypes[column.type])
      add(`has column ${column.name} of type ${there.type}, expected ${column.type}`);
    if (there.computed) add(`has column ${column.name} that the server computes, expected one that can be written`);
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
    return [partial(`${sql} lacks a valid ${index.method} index on (${columns})`, found)];
  });
}

function partitionDifferences(sql: string, { partitions }: TableLayout, found: FoundRelation): Difference[] {
  const there = found.kind === 'p' ? found.partitions : 0;
  if (there === partitions && (found.kind === 'p') === partitions > 0) return [];
  const describe = (count: number) => (count === 0 ? 'no partitions' : `${String(count)} partitions`);
  // Some but not all: a run that made them by hand was cut short.
  const divided = found.modulus === null || found.modulus === partitions;
  const text = `${sql} has ${describe(there)}, expected ${describe(partitions)}`;
  return [found.kind === 'p' && there < partitions && divided ? partial(text, found) : { text, kind: 'wrong' }];
}

function viewDifferences(sql: string, spec: ResolvedPostgresSpec, found: FoundRelation | undefined): Difference[] {
  if (found === undefined) return [{ text: `view ${sql} does not exist`, kind: 'partial' }];
  if (found.kind !== 'v') return [{ text: `${sql} is no view`, kind: 'wrong' }];
  const lacking = currentViewColumns.filter((column) => !found.columns.some(({ name }) => name === column));
  if (lacking.length > 0) return [{ text: `view ${sql} lacks ${lacking.join(', ')}`, kind: 'wrong' }];
  const hidesDeleted = found.reads.includes(deletedAtColumn.name);
  return spec.deletes === 'soft' && !hidesDeleted
    ? [partial(`view ${sql} shows rows that are soft-deleted`, found)]
    : [];
}

function partial(text: string, { owned }: FoundRelation): Difference {
  return { text, kind: 'partial', ...(owned ? {} : { needsOwner: true }) };
}

/** What makes rows vanish, hides them or keeps them away, so that the table would not hold what an export says that it holds. */
function brokenPromises(sql: string, found: FoundRelation): Difference[] {
  const differences: Difference[] = [];
  const add = (text: string) => differences.push({ text: `${sql} ${text}`, kind: 'wrong' });
  const named = (relations: readonly string[]) => relations.slice(0, 3).join(', ');
  if (found.unlogged.length > 0) {
    const remedy = found.unlogged.slice(0, 3).map((relation) => `ALTER TABLE ${relation} SET LOGGED`);
    add(`is UNLOGGED, and a crash of the server empties it; run ${remedy.join('; ')}`);
  }
  if (found.temporary.length > 0) add(`is temporary (${named(found.temporary)}), and ends with its session`);
  if (found.foreign.length > 0)
    add(`has foreign partitions (${named(found.foreign)}), whose writes are not of one transaction with ours`);
  if (found.rowSecurity) {
    add(
      'hides rows from the user of the sink by row security; give the user BYPASSRLS, or run ' +
        `ALTER TABLE ${sql} DISABLE ROW LEVEL SECURITY`,
    );
  }
  if (found.rules.length > 0) {
    const rules = found.rules.slice(0, 3).map(quoteIdentifier);
    add(
      `rewrites what is written by ${rules.length === 1 ? 'rule' : 'rules'} ${rules.join(', ')}; drop ${rules.length === 1 ? 'it' : 'them'}`,
    );
  }
  if (found.kind === 'r' && found.partitions > 0)
    add(
      `has ${String(found.partitions)} tables that inherit from it, whose rows would count as its own; end it by ALTER TABLE … NO INHERIT`,
    );
  return differences;
}

/** Names that are to be given and belong to something else: an index keeps its name when its table is renamed. */
function takenNames(spec: ResolvedPostgresSpec, { relations, taken }: Inspection): Difference[] {
  const bare = bareNames(spec.table);
  const wanted = [
    ...namesToMake(tableLayout(spec), relations[bare.table]),
    ...namesToMake(exportsLayout(spec), relations[bare.exports]),
    ...(spec.mode === 'upsert' && relations[bare.current] === undefined ? [{ name: bare.current, table: null }] : []),
  ];
  const schema = quoteIdentifier(spec.schema);
  return wanted.flatMap(({ name, table }): Difference[] => {
    const holder = taken[name];
    if (holder === undefined || (table !== null && holder.ofName === table)) return [];
    const what = relationKinds[holder.kind] ?? 'relation';
    const of = holder.of === null ? '' : ` of ${holder.of}`;
    const text = `${what} ${schema}.${quoteIdentifier(name)}${of} has a name that the sink needs; rename it, or name another table`;
    return [{ text, kind: 'wrong' }];
  });
}

const relationKinds: Readonly<Record<string, string>> = {
  r: 'table',
  p: 'table',
  i: 'index',
  I: 'index',
  v: 'view',
  S: 'sequence',
  type: 'type',
};

function namesToMake(layout: TableLayout, found: FoundRelation | undefined) {
  const names = bareNames(layout.name);
  const indexes = layout.indexes.filter(
    (index) => found === undefined || indexDifferences('', [index], found).length > 0,
  );
  const keys = found === undefined ? [layout.primaryKey, ...(layout.unique === undefined ? [] : [layout.unique])] : [];
  const partitions = found === undefined || found.partitions < layout.partitions ? layout.partitions : 0;
  return [
    ...(found === undefined ? [{ name: layout.name, table: null }] : []),
    ...[...keys, ...indexes].map(({ name }) => ({ name, table: found === undefined ? null : layout.name })),
    ...Array.from({ length: partitions }, (_, index) => ({ name: names.partition(index), table: layout.name })),
  ];
}

/** Every name that may have to be given, for the inspection. */
export function namesOfParts(spec: ResolvedPostgresSpec): readonly string[] {
  return [tableLayout(spec), exportsLayout(spec)].flatMap((layout) =>
    namesToMake(layout, undefined).map(({ name }) => name),
  );
}
