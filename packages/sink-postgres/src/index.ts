export { postgresSink } from './postgres-sink.ts';
export { postgresDdl } from './schema/postgres-ddl.ts';
export { postgresSpecSchema, type PostgresSpec } from './postgres-spec-schema.ts';
