import { safeMessage } from '../../contract/errors/message.ts';
import type { ConnectionReport, ConnectionStep, ExportPlan, ExportResult, ItemCounts } from '../../contract/sink.ts';

const outcomes: readonly unknown[] = [
  'applied',
  'unchanged',
  'superseded',
] satisfies readonly ExportResult['outcome'][];
const countNames = ['inserted', 'updated', 'deleted', 'unchanged'] as const satisfies readonly (keyof ItemCounts)[];

type Fields = Readonly<Record<string, unknown>>;

/** A copy of what an export gave, or undefined where that is no result. */
export function checkResult(value: unknown): ExportResult | undefined {
  const { outcome, counts, messages, bytes, reference } = fieldsOf(value);
  const checked = checkCounts(counts);
  if (!outcomes.includes(outcome) || checked === undefined || !isCount(messages) || !isCount(bytes)) return undefined;
  if (reference !== undefined && typeof reference !== 'string') return undefined;
  const shown = reference === undefined ? {} : { reference: shortLine(reference) };
  return { outcome: outcome as ExportResult['outcome'], counts: checked, messages, bytes, ...shown };
}

const maxReferenceLength = 200;

/** The text may come from the store: it is cut and escaped to fit a log line and a status. */
function shortLine(text: string): string {
  return text.slice(0, maxReferenceLength).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]/gu, '\ufffd');
}

export function checkPlan(value: unknown): ExportPlan | undefined {
  const { outcome, counts, samples } = fieldsOf(value);
  const { inserted, updated, deleted } = fieldsOf(samples);
  const listed = [inserted, updated, deleted].every((keys) => Array.isArray(keys));
  if (!outcomes.includes(outcome) || checkCounts(counts) === undefined || !listed) return undefined;
  return value as ExportPlan;
}

export function checkReport(value: unknown): ConnectionReport | undefined {
  const { ok, steps } = fieldsOf(value);
  if (typeof ok !== 'boolean' || !Array.isArray(steps)) return undefined;
  return { ok, steps: steps.map((step) => checkStep(step as ConnectionStep)) };
}

/** What a step tells people goes where messages of errors go. */
function checkStep({ name, status, code, found, remedy, durationMs }: ConnectionStep): ConnectionStep {
  const told = remedy === undefined ? {} : { remedy: safeMessage(remedy) };
  return { name: safeMessage(name), status, code, found: safeMessage(found), ...told, durationMs };
}

function checkCounts(value: unknown): ItemCounts | undefined {
  const counts = fieldsOf(value);
  if (!countNames.every((name) => isCount(counts[name]))) return undefined;
  const { inserted, updated, deleted, unchanged } = value as ItemCounts;
  return { inserted, updated, deleted, unchanged };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}
