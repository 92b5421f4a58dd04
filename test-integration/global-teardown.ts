// jest asks for a default export here; it is loaded by the process that loaded global-setup.ts, so both see one server.
export { stopSharedPostgres as default } from './servers/shared-postgres.ts';
