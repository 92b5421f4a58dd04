import {
  SinkError,
  sinkErrorCodes,
  type ConnectionReport,
  type ConnectionStep,
  type SinkErrorCode,
} from '@kollect/core';
import { causeOf } from '../status/conditions.ts';
import { tenantCode } from '../status/reasons.ts';

/** A step as the status of a KollectConnectionTest has it. */
export interface TestedStep {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly durationMs?: number;
  readonly code?: SinkErrorCode;
  readonly remedy?: string;
}

/** What a test found, as a tenant may see it. */
export interface TenantReport {
  readonly ok: boolean;
  readonly steps: readonly TestedStep[];
  /** Of the step that failed. */
  readonly code?: SinkErrorCode;
  readonly remedy?: string;
}

const mostSteps = 20;
const longestRemedy = 512;
const longestName = 63;
/** Where it shows whether a host can be reached. */
const reaching: ReadonlySet<string> = new Set(['resolve', 'connect']);
const reachRemedy =
  'Check host and port. If they are right, ask whoever runs the operator whether its egress policy allows the address: its log says so.';

/**
 * A host that the operator denies, one whose name leads nowhere and one that does not answer are one and the same to a tenant: the same step,
 * code and words, and no duration. Else a test would map the operator's network.
 */
export function tenantReport({ ok, steps }: ConnectionReport): TenantReport {
  const hidden = steps.some(isUnreached);
  const shown = hidden ? withoutReach(steps) : steps.map(shownStep);
  const failed = shown.find(({ status }) => status === 'failed');
  return {
    ok,
    steps: shown.slice(0, mostSteps),
    ...(failed?.code === undefined ? {} : { code: failed.code }),
    ...(failed?.remedy === undefined ? {} : { remedy: failed.remedy }),
  };
}

/** Of a test that could not be made. */
export function refusedReport(error: unknown): TenantReport {
  return { ok: false, steps: [], code: tenantCode(SinkError.from(error).code), remedy: causeOf(error).message };
}

function isUnreached({ name, status, code }: ConnectionStep): boolean {
  return status === 'failed' && (reaching.has(name) || code === 'EGRESS_DENIED');
}

/** Steps before, one that failed to reach, and what was skipped. */
function withoutReach(steps: readonly ConnectionStep[]): readonly TestedStep[] {
  const at = steps.findIndex(isUnreached);
  const before = steps.slice(0, at).filter(({ name }) => !reaching.has(name));
  const after = steps.slice(at + 1).filter(({ name }) => !reaching.has(name));
  return [
    ...before.map(shownStep),
    { name: 'connect', status: 'failed', code: 'UNAVAILABLE', remedy: reachRemedy },
    ...after.map((step) => ({ name: nameOf(step), status: 'skipped' as const })),
  ];
}

function shownStep(step: ConnectionStep): TestedStep {
  const { status, code, remedy, durationMs } = step;
  const known = sinkErrorCodes.find((each) => each === code);
  const isTold = status === 'failed' || status === 'warning';
  const denied = known === 'EGRESS_DENIED';
  return {
    name: nameOf(step),
    status: status === 'passed' ? 'ok' : status,
    ...(denied ? {} : { durationMs: Math.max(0, Math.round(durationMs)) }),
    ...(isTold && known !== undefined ? { code: tenantCode(known) } : {}),
    ...(isTold && remedy !== undefined ? { remedy: denied ? reachRemedy : shorten(remedy) } : {}),
  };
}

function nameOf({ name }: ConnectionStep): string {
  const characters = Array.from(name).slice(0, longestName).join('');
  return characters === '' ? 'step' : characters;
}

function shorten(text: string): string {
  const characters = Array.from(text);
  return characters.length <= longestRemedy ? text : `${characters.slice(0, longestRemedy - 1).join('')}…`;
}
