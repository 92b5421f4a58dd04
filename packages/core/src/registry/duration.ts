import { SinkError } from '../contract/errors/errors.ts';
import { showText, showValue } from '../contract/errors/show-value.ts';

const number = String.raw`(\d{1,15}(?:\.\d{1,6})?)`;
const form = new RegExp(`^(?=\\d)(?:${number}h)?(?:${number}m)?(?:${number}s)?(?:${number}ms)?$`, 'u');
const unitMs = [3_600_000, 60_000, 1_000, 1];

/** What `parseDuration` reads, as a pattern that needs no look ahead, as in Go's regular expressions. */
export const durationPattern = patternOf(['h', 'm', 's', 'ms']);

/** One of the units is there at least: so each begins an alternative, and those after it may follow. */
function patternOf(units: readonly string[]): string {
  const amount = '[0-9]{1,15}([.][0-9]{1,6})?';
  const alternatives = units.map(
    (unit, index) =>
      `${amount}${unit}${units
        .slice(index + 1)
        .map((next) => `(${amount}${next})?`)
        .join('')}`,
  );
  return `^(0|${alternatives.join('|')})$`;
}

/** For messages: what a duration looks like. */
export const durationExamples = 'a duration such as "250ms", "30s", "5m" or "1h30m"';

/** Milliseconds, rounded; undefined where the text is no duration. */
export function durationMs(text: string): number | undefined {
  if (text === '0') return 0;
  const parts = form.exec(text)?.slice(1);
  if (parts === undefined) return undefined;
  const total = parts.reduce((sum, part, index) => sum + Number(part ?? 0) * (unitMs[index] ?? 0), 0);
  return total > Number.MAX_SAFE_INTEGER ? undefined : Math.round(total);
}

/** Milliseconds of a duration as Go writes it: `250ms`, `30s`, `1h30m`, `0s`. Throws SPEC_INVALID naming `path`, such as `$.postgres.connectTimeout`. */
export function parseDuration(text: string, path: string): number {
  const given: unknown = text;
  const milliseconds = typeof given === 'string' ? durationMs(given) : undefined;
  if (milliseconds !== undefined) return milliseconds;
  const found = typeof given === 'string' ? showText(given) : showValue(given, { secret: false });
  throw new SinkError('SPEC_INVALID', `${path}: expected ${durationExamples}, found ${found}.`, {
    operation: 'create',
  });
}
