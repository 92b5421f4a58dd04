import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import type { DeliveryLogger, LogFields } from './logging.ts';

/** One method of pino's Logger, as its types declare it. */
interface PinoLogFn {
  (obj: object, msg?: string, ...args: readonly unknown[]): void;
  (obj: unknown, msg?: string, ...args: readonly unknown[]): void;
  (msg: string, ...args: readonly unknown[]): void;
}

type PinoLike = Readonly<Record<'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace', PinoLogFn>> & {
  readonly level: string;
};

function collect(): { readonly stream: Writable; readonly text: () => string } {
  const chunks: string[] = [];
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      chunks.push(String(chunk));
      done();
    },
  });
  return { stream, text: () => chunks.join('') };
}

const fields: LogFields = { sink: 'team/db', code: 'TIMEOUT', attempts: 3, retryable: true, dueAt: undefined };

test('console is a logger: the fields and the message are in the line', () => {
  const { stream, text } = collect();
  const logger: DeliveryLogger = new Console({ stdout: stream, stderr: stream, colorMode: false });
  const processLogger: DeliveryLogger = console;
  for (const level of ['debug', 'info', 'warn', 'error'] as const) {
    expect(typeof processLogger[level]).toBe('function');
    logger[level](fields, `${level}: the export failed`);
  }
  for (const level of ['debug', 'info', 'warn', 'error']) expect(text()).toContain(`${level}: the export failed`);
  expect(text()).toContain("sink: 'team/db'");
  expect(text()).toContain("code: 'TIMEOUT'");
});

test('pino is a logger: its calls take the fields first and the message second', () => {
  const lines: Record<string, unknown>[] = [];
  const call: PinoLogFn = (first: unknown, second?: unknown): void =>
    void lines.push({ ...(first as object), msg: second });
  const pino: PinoLike = { level: 'debug', fatal: call, error: call, warn: call, info: call, debug: call, trace: call };
  const logger: DeliveryLogger = pino;
  logger.warn(fields, 'the export failed');
  expect(lines).toEqual([{ ...fields, msg: 'the export failed' }]);
});
