import { parseDuration, SinkError } from '@kollect/core';
import { boundedDuration, showText, tlsSpecProblems, type TlsSpec } from '@kollect/core/authoring';
import type { CompletePostgresSpec } from './postgres-spec-schema.ts';
import { derivedNames, type PortalIndex } from './schema/table-names.ts';

/** Most rows one export may delete: an absolute number, or a share of the scope's rows. */
export type MaxDeletes = { readonly rows: number } | { readonly percent: number };

/** A spec with its defaults, durations in milliseconds, and nothing in it that contradicts itself. */
export interface ResolvedPostgresSpec {
  readonly database: string;
  readonly schema: string;
  readonly table: string;
  readonly mode: 'upsert' | 'append';
  readonly deletes: 'hard' | 'soft';
  readonly provisioning: 'create' | 'existing';
  readonly tls: TlsSpec;
  readonly statementTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly poolSize: number;
  readonly applicationName: string;
  /** 0: never. */
  readonly resyncIntervalMs: number;
  /** Absent: no limit. */
  readonly maxDeletes?: MaxDeletes;
  readonly clusterInKey: boolean;
  /** 0: not partitioned. */
  readonly partitions: number;
  readonly indexes: readonly PortalIndex[];
}

/** The spec, complete and frozen. Throws SPEC_INVALID that names every field that cannot be used as written. */
export function resolvePostgresSpec(spec: CompletePostgresSpec): ResolvedPostgresSpec {
  const { statementTimeout, connectTimeout, resyncInterval, maxDeletes, tls, indexes, ...asWritten } = spec;
  const limit = resolveMaxDeletes(maxDeletes);
  const times = {
    statementTimeout: boundedDuration(statementTimeout, { above: '0s', most: '24h' }),
    connectTimeout: boundedDuration(connectTimeout, { above: '0s', most: '24h' }),
  };
  const resolved: ResolvedPostgresSpec = {
    ...asWritten,
    tls: Object.freeze({ ...tls }),
    indexes: Object.freeze([...new Set(indexes)]),
    statementTimeoutMs: times.statementTimeout.value ?? 0,
    connectTimeoutMs: times.connectTimeout.value ?? 0,
    resyncIntervalMs: parseDuration(resyncInterval, '$.postgres.resyncInterval'),
    ...(limit === undefined ? {} : { maxDeletes: limit }),
  };
  const problems = [
    ...pastedDsn(resolved),
    ...identifierProblems(resolved),
    ...Object.entries(times).flatMap(([field, { problem }]) => (problem === undefined ? [] : [`${field}: ${problem}`])),
    ...tlsSpecProblems(resolved.tls),
    ...modeProblems(resolved),
  ];
  if (resolved.partitions === 1) problems.push('partitions: 1 partition divides nothing; use 0 for none, or 2 to 1024');
  if (problems.length > 0)
    throw new SinkError('SPEC_INVALID', `${problems.map((problem) => `$.postgres.${problem}`).join('; ')}.`, {
      sinkType: 'postgres',
    });
  return Object.freeze(resolved);
}

function resolveMaxDeletes(limit: number | string | undefined): MaxDeletes | undefined {
  if (limit === undefined) return undefined;
  return Object.freeze(typeof limit === 'number' ? { rows: limit } : { percent: Number(limit.slice(0, -1)) });
}

/** The whole DSN in the place of a name is the most frequent way in which a password gets into a spec. */
function pastedDsn({ database, schema, table }: ResolvedPostgresSpec): string[] {
  return Object.entries({ database, schema, table }).flatMap(([field, name]) =>
    /:\/\/|\b(?:host|user|dbname|password)\s*=|:.*@/u.test(name)
      ? [`${field}: looks like a connection string; put the DSN into the credentials (dsn), and its name alone here`]
      : [],
  );
}

const maxIdentifierBytes = 63;

/** PostgreSQL cuts a name at 63 bytes without an error, so that two tables may end up sharing one beside them. */
function identifierProblems(spec: ResolvedPostgresSpec): string[] {
  const problems: string[] = [];
  for (const field of ['database', 'schema', 'table'] as const) {
    const name = spec[field];
    if (/[\p{Zl}\p{Zp}]/u.test(name)) problems.push(`${field}: must not hold line breaks`);
    else if (Buffer.byteLength(name) > maxIdentifierBytes) {
      problems.push(
        `${field}: ${showText(name)} is ${String(Buffer.byteLength(name))} bytes long, PostgreSQL keeps ${String(maxIdentifierBytes)}`,
      );
    }
  }
  const longest = derivedNames(spec).reduce((a, b) => (Buffer.byteLength(b) > Buffer.byteLength(a) ? b : a));
  const bytes = Buffer.byteLength(longest);
  if (bytes > maxIdentifierBytes && Buffer.byteLength(spec.table) <= maxIdentifierBytes) {
    const room = maxIdentifierBytes - (bytes - Buffer.byteLength(spec.table));
    problems.push(
      `table: ${showText(spec.table)} makes the name ${showText(longest)} of ${String(bytes)} bytes, and PostgreSQL keeps ${String(maxIdentifierBytes)}: ` +
        `use a table name of at most ${String(room)} bytes`,
    );
  }
  return problems;
}

/** What makes no sense where every snapshot is a row of its own. */
function modeProblems(spec: ResolvedPostgresSpec): string[] {
  if (spec.mode === 'upsert') return [];
  const upsertOnly = {
    deletes: spec.deletes === 'soft',
    partitions: spec.partitions !== 0,
    clusterInKey: spec.clusterInKey,
    maxDeletes: spec.maxDeletes !== undefined,
    indexes: spec.indexes.length > 0,
  };
  return Object.entries(upsertOnly).flatMap(([field, isSet]) =>
    isSet ? [`${field}: has no meaning with mode append; remove one of the two`] : [],
  );
}
