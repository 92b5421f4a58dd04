import type { DeliveryLogger, LogFields } from '@kollect/core';

/** One line as a host's logger gets it. */
export interface NotedLine {
  readonly level: keyof DeliveryLogger;
  readonly fields: LogFields;
  readonly message: string;
}

/** A logger that gives every line to `note`. */
export function notedLogger(note: (line: NotedLine) => void): DeliveryLogger {
  const at = (level: keyof DeliveryLogger) => (fields: LogFields, message: string) => note({ level, fields, message });
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
