import type { CredentialField, SpecInput, SpecOf, SpecSchema } from '@kollect/core';
import { tlsSpecSchema } from '@kollect/core/authoring';

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
export type CompletePostgresSpec = SpecOf<typeof postgresSpecSchema>;
