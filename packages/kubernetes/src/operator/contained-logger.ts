import type { DeliveryLogger, LogFields } from '@kollect/core';

/** The host's logger, whose faults are nobody's. */
export function containLogger(logger: DeliveryLogger | undefined): DeliveryLogger {
  const at =
    (level: keyof DeliveryLogger) =>
    (fields: LogFields, message: string): void => {
      try {
        logger?.[level](fields, message);
      } catch {
        // Nobody can be told.
      }
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
