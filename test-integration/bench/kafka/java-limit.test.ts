import { expect, test } from '@jest/globals';
import { recordsPerSecond } from './java-limit.ts';

const line = (records: number, rate: string): string =>
  `${records} records sent, ${rate} records/sec (2.11 MB/sec), 1.2 ms avg latency, 9.00 ms max latency, 1 ms 50th, 2 ms 95th, 4 ms 99th, 9 ms 99.9th.`;

test('the rate is that of the measured records, not of the warm-up', () => {
  expect(
    recordsPerSecond(
      `100 records sent, 20.0 records/sec (0.02 MB/sec), 1 ms avg latency, 2 ms max latency.\n${line(500, '40.0')}\n${line(100, '250.5')}\n`,
    ),
  ).toBe(250.5);
});

test('output without a rate is shown', () => {
  expect(() => recordsPerSecond('Exception in thread "main"')).toThrow(/printed no rate:\nException/u);
});
