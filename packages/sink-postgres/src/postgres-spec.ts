import {
  parseDuration,
  SinkError,
  type CredentialField,
  type SpecInput,
  type SpecOf,
  type SpecSchema,
} from '@kollect/core';
import { boundedDuration, showText, tlsSpecProblems, tlsSpecSchema, type TlsSpec } from '@kollect/core/authoring';
import { derivedNames, type PortalIndex } from './schema/table-names.ts';

/** What `spec.postgres` may hold. Credentials and certificates are no part of it: they come with the connection. */
export const postgresSpecSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['database', 'table'],
  properties: {
    database: {
      type: 'string',
      minLength: 1,
      maxLength: 63,
      description: 'Name of the database to connect to; a DSN belongs into the credentials.',
    },
    schema: {
      type: 'string',
      minLength: 1,
      maxLength: 63,
      default: 'public',
      description: 'Schema that holds the table; it must exist.',
    },
    table: {
      type: 'string',
      minLength: 1,
      maxLength: 63,
      description: 'Table that holds the inventory; names beside it derive from it.',
    },
    mode: {
      type: 'string',
      enum: ['upsert', 'append'],
      default: 'upsert',
      description: 'upsert: the table equals the last snapshot, a row per item. append: every snapshot is a new row.',
    },
    deletes: {
      type: 'string',
      enum: ['hard', 'soft'],
      default: 'hard',
      description:
        'hard: rows of items that are gone are deleted. soft: their deleted_at is set, and cleared when the item returns.',
    },
    provisioning: {
      type: 'string',
      enum: ['create', 'existing'],
      default: 'create',
      description:
        'create: the sink makes what is missing. existing: the sink only checks, and names every difference.',
    },
    tls: {
      ...tlsSpecSchema,
      default: {},
      properties: {
        ...tlsSpecSchema.properties,
        mode: {
          ...tlsSpecSchema.properties.mode,
          enum: ['verify-full', 'verify-ca', 'require', 'disable'],
          description:
            'verify-full: chain and host name checked. verify-ca: chain checked. require: encrypted, nothing checked. disable: not encrypted.',
        },
      },
    },
    statementTimeout: {
      type: 'string',
      format: 'duration',
      default: '60s',
      description: 'Longest time a single statement may run on the server; above zero, at most 24h.',
    },
    connectTimeout: {
      type: 'string',
      format: 'duration',
      default: '10s',
      description: 'Longest time from dialling to an authenticated connection; above zero, at most 24h.',
    },
    poolSize: { type: 'integer', minimum: 1, maximum: 100, default: 4, description: 'Most connections open at once.' },
    applicationName: {
      type: 'string',
      maxLength: 63,
      default: 'kollect',
      description: 'Name shown in pg_stat_activity.',
    },
    resyncInterval: {
      type: 'string',
      format: 'duration',
      default: '24h',
      description:
        'How often an unchanged snapshot is compared with the table all the same, so that edits by hand heal. 0s: never.',
    },
    maxDeletes: {
      type: ['integer', 'string'],
      minimum: 0,
      maxLength: 4,
      pattern: '^(100|[1-9]?[0-9])%$',
      description:
        "Most rows one export may delete: a number, or a percentage of the inventory's rows such as '10%'. Default: any number, but not all of ten or more; '100%' allows that, too.",
    },
    clusterInKey: {
      type: 'boolean',
      default: false,
      description: 'Puts cluster first in the primary key, for clusters whose objects share uids (clones).',
    },
    partitions: {
      type: 'integer',
      minimum: 0,
      maximum: 1024,
      default: 0,
      description: 'Hash partitions of the table, by inventory: 0 for none, or 2 to 1024. Cannot be changed later.',
    },
    indexes: {
      type: 'array',
      items: { type: 'string', enum: ['gvk', 'target', 'payload'] },
      default: [],
      description: 'Indexes for readers. gvk: (cluster, gvk). target: (target_name). payload: GIN on payload.',
    },
  },
} as const satisfies SpecSchema;

/** What the sink reads from its credentials: a DSN alone, or the other fields. */
export const postgresCredentialFields = [
  {
    name: 'dsn',
    description: 'postgresql://user:password@host:5432/database; the database may be left out.',
    secret: true,
    form: 'dsn',
  },
  { name: 'username', description: 'Role to log in as.', secret: false, form: 'fields' },
  {
    name: 'password',
    description: 'Password of the role; left out where a client certificate is the login.',
    secret: true,
    form: 'fields',
  },
  { name: 'host', description: 'Host name or IP address of the server.', secret: false, form: 'fields' },
  { name: 'port', description: 'Port of the server. Default 5432.', secret: false, form: 'fields' },
] as const satisfies readonly CredentialField[];

/** `spec.postgres` as it is written; every default is in `postgresSpecSchema` and docs/postgres.md. */
export type PostgresSpec = SpecInput<typeof postgresSpecSchema>;

/** `spec.postgres` valid and with every default, as the schema gives it. */
type CompletePostgresSpec = SpecOf<typeof postgresSpecSchema>;

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
