import { describe, expect, test } from '@jest/globals';
import { SinkError, sinkErrorCodes, type SinkErrorCode } from '../contract/errors/errors.ts';
import { createReportBuilder } from './connection-report.ts';

const remedies = Object.fromEntries(sinkErrorCodes.map((code) => [code, `what to do about ${code}`])) as Record<
  SinkErrorCode,
  string
>;
const classify = (thrown: unknown): SinkError =>
  new SinkError('UNAVAILABLE', `told: ${String(thrown)}`, { sinkType: 'topic' });
const builder = (signal = new AbortController().signal) => createReportBuilder({ signal, classify, remedies });

describe('a report', () => {
  test('tells what passed, what is a warning, and hands values on', async () => {
    const { step, report } = builder();
    const seven = await step('first', 'start', async (previous) => ({ found: previous, value: 7 }));
    await step('second', seven, async (number) => ({
      found: String(number),
      value: true,
      warning: { code: 'TLS_FAILED', remedy: 'renew' },
    }));
    const { ok, steps } = report();
    expect(ok).toBe(true);
    expect(steps).toMatchObject([
      { name: 'first', status: 'passed', code: 'OK', found: 'start' },
      { name: 'second', status: 'warning', code: 'TLS_FAILED', found: '7', remedy: 'renew' },
    ]);
  });

  test('tells what failed, and skips what builds on it', async () => {
    const { step, report } = builder();
    const nothing = await step('first', true, () => Promise.reject(new Error('x')));
    await step('second', nothing, async () => ({ found: '', value: true }));
    const { ok, steps } = report();
    expect(ok).toBe(false);
    expect(steps).toMatchObject([
      { status: 'failed', code: 'UNAVAILABLE', found: 'told: Error: x', remedy: 'what to do about UNAVAILABLE' },
      { status: 'skipped', code: 'SKIPPED' },
    ]);
    expect(steps[1]).not.toHaveProperty('remedy');
  });

  test('rejects where the caller aborted', async () => {
    await expect(
      builder(AbortSignal.abort()).step('first', true, () => Promise.reject(new Error('x'))),
    ).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
