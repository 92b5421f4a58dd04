import { expect, test } from '@jest/globals';
import { sinkErrorOf } from '../registry/registry.fixture.ts';
import { resolveDeadline, resolveLimits, resolvePace, resolveSinkDelivery } from './delivery-options.ts';

test('defaults', () => {
  expect(resolveSinkDelivery(undefined, 'team/db')).toEqual({
    attemptTimeoutMs: 60_000,
    deadlineMs: 120_000,
    abortGraceMs: 1_000,
    closeTimeoutMs: 5_000,
    concurrentExports: 4,
    retry: { retries: 3, minDelayMs: 500, maxDelayMs: 30_000, factor: 2 },
    breaker: { failures: 5, openForMs: 30_000, forbiddenOpenForMs: 300_000 },
  });
  expect(resolvePace(undefined, 'team/all')).toEqual({ exportMinIntervalMs: 30_000, minChangeIntervalMs: 0 });
  expect(resolveLimits(undefined)).toEqual({ concurrentExports: 32 });
});

test('what is given', () => {
  const given = {
    attemptTimeout: '5s',
    deadline: '20s',
    concurrentExports: 1,
    retry: { retries: 0, minDelay: '0s' },
    breaker: { failures: 1, openFor: '1m' },
  };
  expect(resolveSinkDelivery(given, 'team/db')).toMatchObject({
    attemptTimeoutMs: 5_000,
    deadlineMs: 20_000,
    concurrentExports: 1,
    retry: { retries: 0, minDelayMs: 0, maxDelayMs: 30_000 },
    breaker: { failures: 1, openForMs: 60_000, forbiddenOpenForMs: 300_000 },
  });
  expect(resolvePace({ exportMinInterval: '0s', minChangeInterval: '1m30s' }, 'team/all')).toEqual({
    exportMinIntervalMs: 0,
    minChangeIntervalMs: 90_000,
  });
});

test.each([
  [
    { attemptTimeout: '5 s' },
    'The delivery options of sink "team/db" are invalid: $.delivery.attemptTimeout: expected a duration such as "250ms", "30s", "5m" or "1h30m", found the string "5 s".',
  ],
  [
    { attemptTimeout: 5 },
    'The delivery options of sink "team/db" are invalid: $.delivery.attemptTimeout: expected a duration such as "250ms", "30s", "5m" or "1h30m", found the number 5.',
  ],
  [
    { deadline: '0s' },
    'The delivery options of sink "team/db" are invalid: $.delivery.deadline: expected at least 1ms, found "0s".',
  ],
  [
    { breaker: { openFor: '25h' } },
    'The delivery options of sink "team/db" are invalid: $.delivery.breaker.openFor: expected at most 24h, found "25h".',
  ],
  [
    { retry: { retires: 3 } },
    'The delivery options of sink "team/db" are invalid: $.delivery.retry.retires is not a known field; did you mean "retries"?',
  ],
  [
    { retry: { retries: -1 } },
    'The delivery options of sink "team/db" are invalid: $.delivery.retry.retries: expected a number of at least 0, found the number -1.',
  ],
  [
    { retry: { minDelay: '1m' } },
    'The delivery options of sink "team/db" are invalid: $.delivery.retry.maxDelay: expected at least retry.minDelay, 1m, found "30s".',
  ],
  [
    { concurrentExports: 0 },
    'The delivery options of sink "team/db" are invalid: $.delivery.concurrentExports: expected a number of at least 1, found the number 0.',
  ],
])('%j is refused in words', (given, message) => {
  expect(sinkErrorOf(() => resolveSinkDelivery(given, 'team/db'))).toMatchObject({ code: 'SPEC_INVALID', message });
});

test('those of inventories, exporters and close are refused alike', () => {
  expect(sinkErrorOf(() => resolvePace({ exportMinInterval: '-1s' }, 'team/all'))).toMatchObject({
    code: 'SPEC_INVALID',
    message:
      'The delivery options of inventory team/all are invalid: $.delivery.exportMinInterval: expected a duration such as "250ms", "30s", "5m" or "1h30m", found the string "-1s".',
  });
  expect(sinkErrorOf(() => resolvePace({ minChangeInterval: '600h' }, 'team/all')).message).toContain(
    'expected at most 480h',
  );
  expect(sinkErrorOf(() => resolveLimits({ concurrentExports: 0 })).message).toBe(
    'The limits of the exporter are invalid: $.limits.concurrentExports: expected a number of at least 1, found the number 0.',
  );
  expect(sinkErrorOf(() => resolveDeadline('soon')).message).toBe(
    'The options of close are invalid: $.deadline: expected a duration such as "250ms", "30s", "5m" or "1h30m", found "soon".',
  );
});
