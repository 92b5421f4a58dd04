/** Fields of one log line: names, codes, counts and durations; never a secret and never row data. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Where delivery and the clients of sinks log; pino and console both satisfy it. What a call throws is dropped. */
export interface DeliveryLogger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}
