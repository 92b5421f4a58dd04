import type { ConnectionReport, ConnectionStep, SinkErrorCode } from '@kollect/core';
import { postgresError } from './postgres-errors.ts';

/** What a step found out; `value` is what later steps work with. */
export interface Finding<T> {
  readonly found: string;
  readonly value: T;
  /** Exports will work, and the operator should know. */
  readonly warning?: { readonly code: SinkErrorCode; readonly remedy: string };
}

export interface ReportBuilder {
  /** Runs one step with what an earlier one gave; undefined where that one failed, or this one does. Rejects only when aborted. */
  readonly step: <P, T>(name: string, previous: P | undefined, run: (previous: P) => Promise<Finding<T>>) => Promise<T | undefined>;
  readonly report: () => ConnectionReport;
}

/** Collects the steps of a connection test: a failed one is told, and those that build on it are skipped. */
export function createReportBuilder(signal: AbortSignal): ReportBuilder {
  const steps: ConnectionStep[] = [];
  return {
    step: async (name, previous, run) => {
      if (previous === undefined) {
        steps.push({ name, status: 'skipped', code: 'SKIPPED', found: 'An earlier step failed.', durationMs: 0 });
        return undefined;
      }
      const start = performance.now();
      const durationMs = () => Math.round(performance.now() - start);
      try {
        const { found, value, warning } = await run(previous);
        const outcome = warning === undefined ? { status: 'passed' as const, code: 'OK' } : { status: 'warning' as const, ...warning };
        steps.push({ name, ...outcome, found, durationMs: durationMs() });
        return value;
      } catch (thrown) {
        const error = postgresError(thrown, { operation: 'test-connection' });
        if (signal.aborted) throw error;
        steps.push({ name, status: 'failed', code: error.code, found: error.message, remedy: remedies[error.code], durationMs: durationMs() });
        return undefined;
      }
    },
    report: () => ({ ok: steps.every(({ status }) => status !== 'failed'), steps }),
  };
}

const readTheMessage = 'Read what was found; docs/errors.md explains the code.';

const remedies: Readonly<Record<SinkErrorCode, string>> = {
  SNAPSHOT_INVALID: readTheMessage,
  SPEC_INVALID: 'Correct the spec, or the credentials that belong to it.',
  CONFLICT: readTheMessage,
  DELETE_LIMIT: readTheMessage,
  PAYLOAD_TOO_LARGE: readTheMessage,
  AUTHENTICATION_FAILED: 'Check username, password or client certificate, and what pg_hba.conf demands of this user from this address.',
  PERMISSION_DENIED: 'Grant what postgresDdl(spec) lists at its end.',
  EGRESS_DENIED: 'Use a server that the egress policy of the operator allows, or have the policy changed.',
  TLS_FAILED: 'Give the CA that signed the certificate of the server, dial it by a name that the certificate carries, or set tls.serverName.',
  NOT_FOUND: 'Create what is missing, or correct the name in the spec.',
  SCHEMA_MISMATCH: 'Change the table to match what postgresDdl(spec) prints, or name another table.',
  UNAVAILABLE: 'Check host, port and firewall, and that the server runs.',
  OVERLOADED: 'Lower poolSize, or give the server more connections or room.',
  TIMEOUT: 'Check firewall and load of the server, or raise connectTimeout.',
  ABORTED: 'Run the test again.',
  BACKEND_ERROR: 'Check that PostgreSQL 13 or newer answers at host and port, and read its log.',
  CONTRACT_VIOLATION: readTheMessage,
};
