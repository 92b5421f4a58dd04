import type { DeliveryLogger, LogFields } from '@kollect/core';

const levels = ['debug', 'info', 'warn', 'error'] as const;

/** One JSON object a line. */
export function jsonLogger(write: (line: string) => void): DeliveryLogger {
  const log =
    (level: (typeof levels)[number]) =>
    (fields: LogFields, message: string): void => {
      const line = JSON.stringify({ time: new Date().toISOString(), level, message, ...fields });
      write(`${line}\n`);
    };
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
}
