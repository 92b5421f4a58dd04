import type { SinkError, SinkErrorCode } from '../contract/errors/errors.ts';
import type { ConnectionReport, ConnectionStep } from '../contract/sink.ts';

/** What a step found out; `value` is what later steps work with. */
export interface Finding<T> {
  readonly found: string;
  readonly value: T;
  /** Exports will work, and the operator should know. */
  readonly warning?: { readonly code: SinkErrorCode; readonly remedy: string };
}

export interface ReportBuilder {
  /** Runs one step with what an earlier one gave; undefined where that one failed, or this one does. Rejects only when aborted. */
  readonly step: <P, T>(
    name: string,
    previous: P | undefined,
    run: (previous: P) => Promise<Finding<T>>,
  ) => Promise<T | undefined>;
  readonly report: () => ConnectionReport;
}

export interface ReportBuilderOptions {
  readonly signal: AbortSignal;
  /** Whatever a step threw, as the sink's own error. */
  readonly classify: (thrown: unknown) => SinkError;
  /** What to do about a failed step, by the code of its error. */
  readonly remedies: Readonly<Record<SinkErrorCode, string>>;
}

/** Collects the steps of a connection test: a failed one is told, and those that build on it are skipped. */
export function createReportBuilder({ signal, classify, remedies }: ReportBuilderOptions): ReportBuilder {
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
        const outcome =
          warning === undefined
            ? { status: 'passed' as const, code: 'OK' }
            : { status: 'warning' as const, ...warning };
        steps.push({ name, ...outcome, found, durationMs: durationMs() });
        return value;
      } catch (thrown) {
        const error = classify(thrown);
        if (signal.aborted) throw error;
        steps.push({
          name,
          status: 'failed',
          code: error.code,
          found: error.message,
          remedy: error.remedy ?? remedies[error.code],
          durationMs: durationMs(),
        });
        return undefined;
      }
    },
    report: () => ({ ok: steps.every(({ status }) => status !== 'failed'), steps }),
  };
}
