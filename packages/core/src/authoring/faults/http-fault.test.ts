import { describe, expect, test } from '@jest/globals';
import { SinkError, type SinkErrorCode } from '../../contract/errors/errors.ts';
import { httpFault, type HttpHeaders } from './http-fault.ts';

const retryable = (status: number): boolean => {
  const fault = httpFault({ status });
  return fault !== undefined && new SinkError(fault.code, 'x', { retryable: fault.retryable }).retryable;
};

test.each<[number, SinkErrorCode | undefined, boolean]>([
  [200, undefined, false],
  [204, undefined, false],
  [301, 'BACKEND_ERROR', false],
  [400, 'BACKEND_ERROR', false],
  [401, 'AUTHENTICATION_FAILED', false],
  [403, 'PERMISSION_DENIED', false],
  [404, 'NOT_FOUND', false],
  [405, 'SPEC_INVALID', false],
  [407, 'AUTHENTICATION_FAILED', false],
  [408, 'TIMEOUT', true],
  [409, 'CONFLICT', false],
  [410, 'NOT_FOUND', false],
  [412, 'CONFLICT', false],
  [413, 'PAYLOAD_TOO_LARGE', false],
  [418, 'BACKEND_ERROR', false],
  [423, 'UNAVAILABLE', true],
  [428, 'CONFLICT', false],
  [429, 'OVERLOADED', true],
  [431, 'PAYLOAD_TOO_LARGE', false],
  [500, 'BACKEND_ERROR', true],
  [501, 'BACKEND_ERROR', false],
  [502, 'UNAVAILABLE', true],
  [503, 'UNAVAILABLE', true],
  [504, 'TIMEOUT', true],
  [507, 'OVERLOADED', true],
  [599, 'BACKEND_ERROR', true],
  [600, undefined, false],
])('%i is %s', (status, code, again) => {
  expect(httpFault({ status })?.code).toBe(code);
  expect(retryable(status)).toBe(again);
});

describe('Retry-After', () => {
  const after = (headers: HttpHeaders, status = 429) => httpFault({ status, headers })?.retryAfterMs;
  test.each<[string, number | undefined]>([
    ['7', 7_000],
    [' 0 ', 0],
    ['99999999', 3_600_000],
    ['-1', undefined],
    ['soon', undefined],
    ['', undefined],
    ['Wed, 21 Oct 2015 07:28:00 GMT', 0],
    ['Fri, 31 Dec 9999 23:59:59 GMT', 3_600_000],
  ])('%j', (text, expected) => {
    expect(after({ 'retry-after': text })).toBe(expected);
    expect(after({ 'Retry-After': [text] })).toBe(expected);
    expect(after(new Headers({ 'retry-after': text }))).toBe(expected);
  });

  test("a date counts from the server's own clock", () => {
    const headers = { 'retry-after': 'Wed, 21 Oct 2015 07:28:30 GMT', date: 'Wed, 21 Oct 2015 07:28:00 GMT' };
    expect(after(headers)).toBe(30_000);
  });

  test('it counts where coming back helps', () => {
    expect(after({ 'retry-after': '7' }, 503)).toBe(7_000);
    expect(after({ 'retry-after': '7' }, 403)).toBeUndefined();
    expect(after({}, 503)).toBeUndefined();
  });
});
