// jest asks for a default export here.
export { startSharedPostgres as default } from './servers/shared-postgres.ts';
