import { showText } from '../contract/errors/show-value.ts';
import { durationExamples, durationMs } from '../registry/duration.ts';
import type { Parsed } from './server-address.ts';

/** Bounds as a spec writes durations: `{ above: '0s', most: '24h' }`. */
export interface DurationBounds {
  readonly above?: string;
  readonly least?: string;
  readonly most?: string;
}

/** Milliseconds of a duration within bounds, or what is wrong in the words of the spec: `must be above 0s and at most 24h, found "25h"`. */
export function boundedDuration(text: string, { above, least, most }: DurationBounds): Parsed<number> {
  const value = durationMs(text);
  if (value === undefined) return { problem: `expected ${durationExamples}, found ${showText(text)}` };
  const within =
    (above === undefined || value > boundMs(above)) &&
    (least === undefined || value >= boundMs(least)) &&
    (most === undefined || value <= boundMs(most));
  if (within) return { value };
  const bounds = [
    ...(above === undefined ? [] : [above === '0s' ? 'above zero' : `above ${above}`]),
    ...(least === undefined ? [] : [`at least ${least}`]),
    ...(most === undefined ? [] : [`at most ${most}`]),
  ];
  return { problem: `must be ${bounds.join(' and ')}, found ${showText(text)}` };
}

function boundMs(bound: string): number {
  const value = durationMs(bound);
  if (value === undefined) throw new RangeError(`The bound ${bound} is no duration.`);
  return value;
}
