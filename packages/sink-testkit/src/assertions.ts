import assert from 'node:assert/strict';
import {
  sinkErrorCodes,
  type ConnectionReport,
  type ExportPlan,
  type ExportResult,
  type ItemCounts,
} from '@kollect/core';

const outcomes: readonly string[] = ['applied', 'unchanged', 'superseded'];
const statuses: readonly string[] = ['passed', 'warning', 'failed', 'skipped'];
const stepCodes: ReadonlySet<string> = new Set(['OK', 'SKIPPED', ...sinkErrorCodes]);
const countNames = ['inserted', 'updated', 'deleted', 'unchanged'] as const;

/** Fails unless the value is a result that a metric and a status can show. */
export function assertResult(result: ExportResult): void {
  assertOutcome('An export result', result);
  assertCount('messages', result.messages);
  assertCount('bytes', result.bytes);
  const { reference = '' } = result;
  assert.ok(
    typeof reference === 'string' && reference.length <= 200 && !/\p{Control}/u.test(reference),
    'The reference of a result is one line of at most 200 characters.',
  );
}

/** Fails unless the value is a plan: counts like a result's, and samples of at most ten keys where the store has a record for each item. */
export function assertPlan(plan: ExportPlan, holds: 'items' | 'documents'): void {
  assertOutcome('A plan', plan);
  for (const name of ['inserted', 'updated', 'deleted'] as const) {
    const sample = plan.samples[name];
    const expected = Math.min(10, plan.counts[name]);
    assert.ok(sample.length <= 10, `samples.${name} holds ${sample.length} keys; ten at most.`);
    if (holds === 'items') {
      assert.equal(
        sample.length > 0,
        expected > 0,
        `samples.${name} holds ${sample.length} keys where counts.${name} is ${plan.counts[name]}.`,
      );
    }
    const keys = sample.map(({ targetName, uid }) => JSON.stringify([targetName, uid]));
    assert.equal(new Set(keys).size, keys.length, `samples.${name} holds a key twice.`);
    for (const key of sample) {
      assert.equal(typeof key.targetName, 'string', `samples.${name} holds a key without targetName.`);
      assert.equal(typeof key.uid, 'string', `samples.${name} holds a key without uid.`);
    }
  }
}

/** Fails unless the report's steps can be shown to a person and read by a program. */
export function assertReport(report: ConnectionReport): void {
  assert.ok(report.steps.length > 0, 'A connection report holds at least one step.');
  const names = report.steps.map((step) => step.name);
  assert.equal(new Set(names).size, names.length, `The steps of a report have unique names: ${names.join(', ')}.`);
  const failed = report.steps.filter((step) => step.status === 'failed');
  assert.equal(report.ok, failed.length === 0, `ok is ${report.ok} with ${failed.length} failed steps.`);
  let failedBefore = false;
  for (const { name, status, code, found, remedy, durationMs } of report.steps) {
    const step = `The step "${name}"`;
    assert.ok(name.length > 0, 'A step has a name.');
    assert.ok(statuses.includes(status), `${step} has the status "${status}"; expected one of ${statuses.join(', ')}.`);
    assert.ok(stepCodes.has(code), `${step} has the code "${code}"; expected OK, SKIPPED or a SinkErrorCode.`);
    assert.equal(
      code === 'OK',
      status === 'passed',
      `${step} is ${status} with the code ${code}; OK belongs to passed.`,
    );
    assert.equal(
      code === 'SKIPPED',
      status === 'skipped',
      `${step} is ${status} with the code ${code}; SKIPPED belongs to skipped.`,
    );
    assert.equal(typeof found, 'string', `${step} says what it found.`);
    const needsRemedy = status === 'failed' || status === 'warning';
    const hasRemedy = remedy !== undefined && remedy !== '';
    assert.equal(
      hasRemedy,
      needsRemedy,
      `${step} is ${status}: a remedy belongs to failed and warning, and to them alone.`,
    );
    assert.ok(
      Number.isFinite(durationMs) && durationMs >= 0,
      `${step} took ${durationMs} ms; expected a number of at least 0.`,
    );
    assert.ok(status !== 'skipped' || failedBefore, `${step} is skipped though no step before it failed.`);
    failedBefore ||= status === 'failed';
  }
}

function assertOutcome(
  what: string,
  { outcome, counts }: { readonly outcome: string; readonly counts: ItemCounts },
): void {
  assert.ok(
    outcomes.includes(outcome),
    `${what} has the outcome "${outcome}"; expected one of ${outcomes.join(', ')}.`,
  );
  for (const name of countNames) assertCount(`counts.${name}`, counts[name]);
  if (outcome === 'applied') return;
  const { inserted, updated, deleted, unchanged } = counts;
  assert.ok(
    outcome !== 'superseded' || unchanged === 0,
    `${what} is superseded and yet counts ${unchanged} unchanged.`,
  );
  assert.equal(
    inserted + updated + deleted,
    0,
    `${what} is ${outcome} and yet counts ${inserted} inserted, ${updated} updated, ${deleted} deleted.`,
  );
}

function assertCount(name: string, value: number): void {
  assert.ok(
    Number.isSafeInteger(value) && value >= 0,
    `${name} is ${String(value)}; expected a whole number of at least 0.`,
  );
}
