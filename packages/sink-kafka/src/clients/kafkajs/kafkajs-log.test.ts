import { expect, test } from '@jest/globals';
import kafkajs from 'kafkajs';
import type { KafkaLogLine } from '../../kafka-client.ts';
import { forwardLog } from './kafkajs-log.ts';

function linesOf(message: unknown, level = kafkajs.logLevel.ERROR): KafkaLogLine[] {
  const lines: KafkaLogLine[] = [];
  forwardLog(level, { message, broker: 'b:9092' }, (line) => void lines.push(line));
  return lines;
}

test.each([
  ['Response InitProducerId(key: 22, version: 1)', [{ level: 'debug', message: expect.any(String), broker: 'b:9092' }]],
  ['Connection error: connect ECONNREFUSED', [{ level: 'error', message: expect.any(String), broker: 'b:9092' }]],
  ['Invalid message {"secret":"x"}', [{ level: 'error', message: 'Invalid message', broker: 'b:9092' }]],
  ['Limiting retries, could impact', []],
])('%s', (message, expected) => {
  expect(linesOf(message)).toEqual(expected);
});
