import { isPromise } from 'node:util/types';
import type { DeliveryLogger, LogFields } from '../contract/logger.ts';

export interface SinkLoggerOptions {
  /** The host's; without one nothing is logged. */
  readonly logger: DeliveryLogger | undefined;
  readonly sink: string;
  readonly sinkType: string;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

const levels = ['debug', 'info', 'warn', 'error'] as const satisfies readonly (keyof DeliveryLogger)[];
const maxMessageLength = 500;
const maxFields = 16;
const maxNameLength = 64;
const maxValueLength = 200;
const linesPerWindow = 60;
const windowMs = 60_000;

/**
 * Where the client library of a sink logs: every line names the sink, is one line of bounded length, and harms nobody.
 * Of each level at most sixty lines a minute come through; the next one after that says how many were dropped.
 */
export function createSinkLogger({
  logger,
  sink,
  sinkType,
  now = () => performance.now(),
}: SinkLoggerOptions): DeliveryLogger {
  const of = (level: keyof DeliveryLogger): DeliveryLogger[typeof level] => {
    if (logger === undefined) return () => undefined;
    let windowStart = -Infinity;
    let lines = 0;
    let dropped = 0;
    return (fields, message) => {
      const time = now();
      if (time - windowStart >= windowMs) {
        windowStart = time;
        lines = 0;
      }
      if (lines >= linesPerWindow) {
        dropped += 1;
        return;
      }
      lines += 1;
      const more = dropped === 0 ? {} : { dropped };
      dropped = 0;
      quietly(() => logger[level]({ ...bounded(fields), ...more, sink, sinkType }, oneLine(message, maxMessageLength)));
    };
  };
  return Object.freeze(Object.fromEntries(levels.map((level) => [level, of(level)]))) as unknown as DeliveryLogger;
}

/** What a client gives as fields may be anything; what is no short scalar is left out. */
function bounded(fields: unknown): LogFields {
  if (typeof fields !== 'object' || fields === null) return {};
  const kept: [string, string | number | boolean][] = [];
  for (const [name, value] of Object.entries(fields) as [string, unknown][]) {
    if (kept.length === maxFields) break;
    const key = oneLine(name, maxNameLength);
    if (typeof value === 'string') kept.push([key, oneLine(value, maxValueLength)]);
    else if (typeof value === 'number' || typeof value === 'boolean') kept.push([key, value]);
  }
  return Object.fromEntries(kept);
}

/** The text as one line: nothing in it begins a line of its own or speaks to a terminal. */
function oneLine(text: unknown, length: number): string {
  const shown = typeof text === 'string' ? text : typeof text;
  const cut = shown.length > length ? `${shown.slice(0, length - 1)}…` : shown;
  return cut.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]/gu, '\ufffd');
}

function quietly(call: () => unknown): void {
  try {
    const returned = call();
    if (isPromise(returned)) returned.catch(() => undefined);
  } catch {
    // A fault of the host's log, or a hostile field, is no fault of an export.
  }
}
