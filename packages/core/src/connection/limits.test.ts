import { getEventListeners } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { createSinkLimits } from './limits.ts';

const { limitedBy, endedBySignal } = createSinkLimits('topic');
const never = new Promise<never>(() => undefined);
const limits = { operation: 'export', doing: 'exporting' } as const;

describe('a wait', () => {
  test('ends with the promise, and leaves no listener', async () => {
    const { signal } = new AbortController();
    await expect(limitedBy({ ...limits, signal, timeoutMs: 60_000 }, Promise.resolve(7))).resolves.toBe(7);
    await expect(limitedBy({ ...limits, signal }, Promise.reject(new Error('mine')))).rejects.toThrow('mine');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('ends with the limit', async () => {
    const { signal } = new AbortController();
    await expect(limitedBy({ ...limits, signal, timeoutMs: 1 }, never)).rejects.toMatchObject({
      code: 'TIMEOUT',
      sinkType: 'topic',
      operation: 'export',
      message: 'Gave up exporting after 1 ms without an answer.',
    });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test.each([
    [undefined, 'ABORTED', false],
    [new DOMException('late', 'TimeoutError'), 'TIMEOUT', true],
  ] as const)('ends with the signal: %s', async (reason, code, retryable) => {
    const controller = new AbortController();
    const waiting = limitedBy({ ...limits, signal: controller.signal }, never);
    controller.abort(reason);
    await expect(waiting).rejects.toMatchObject({ code, retryable, sinkType: 'topic', operation: 'export' });
    await expect(limitedBy({ ...limits, signal: controller.signal }, never)).rejects.toMatchObject({ code });
    expect(endedBySignal(controller.signal, limits).code).toBe(code);
  });
});
