import { expect, test } from '@jest/globals';
import { checkAnswerSize, checkBrokerCount, checkIterations, throttleWithinReason } from './answer-limits.ts';

const unreadable = expect.objectContaining({ code: 'UNREADABLE_ANSWER' });
const metadata = 3;
const apiVersions = 18;

test('a wait of weeks is one of ten minutes', () => {
  expect(throttleWithinReason(2 ** 31 - 1)).toBe(600_000);
  expect(throttleWithinReason(1_500)).toBe(1_500);
});

test('an answer is as large as answers to its request are', () => {
  expect(() => checkAnswerSize(metadata, 8_000_000)).not.toThrow();
  expect(() => checkAnswerSize(apiVersions, 1_000)).not.toThrow();
  expect(() => checkAnswerSize(apiVersions, 8_193)).toThrow(unreadable);
});

test('a cluster of hundreds is one, and one of thousands is not', () => {
  expect(() => checkBrokerCount(900)).not.toThrow();
  expect(() => checkBrokerCount(5_000)).toThrow(unreadable);
});

test.each(['2147483647', '99999999999999999999', '', 'many'])('%p iterations are not made', (iterations) => {
  expect(() => checkIterations(iterations)).toThrow(unreadable);
});

test('as many iterations as brokers ask for are made', () => {
  expect(() => checkIterations('16384')).not.toThrow();
});
