export { createAuthority, type Authority, type CertificateRequest, type KeyPair } from './certificates.ts';
export { engineAnswers } from './container-engine.ts';
export { startFaultProxy, type ByteTrigger, type FaultProxy, type FaultProxyOptions, type Side } from './fault-proxy.ts';
export type { Direction } from './fault-link.ts';
export { findPgBouncer, startPgBouncer, type PgBouncer, type StartPgBouncerOptions } from './pgbouncer.ts';
export { startPostgres, type PostgresKind, type PostgresServer, type StartPostgresOptions } from './postgres.ts';
export type { RestartMode } from './postgres-backend.ts';
export { createDatabase, type DatabaseAccess, type DsnOptions, type PostgresConnection } from './postgres-database.ts';
