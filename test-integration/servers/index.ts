export { createAuthority, type Authority, type CertificateRequest, type KeyPair } from './certificates.ts';
export { engineAnswers } from './container-engine.ts';
export { startPostgres, type PostgresKind, type PostgresServer, type StartPostgresOptions } from './postgres.ts';
export type { RestartMode } from './postgres-backend.ts';
export { createDatabase, type DatabaseAccess, type DsnOptions, type PostgresConnection } from './postgres-database.ts';
