import { stripVTControlCharacters } from 'node:util';

/** A column: its heading, and `right` for numbers. */
export interface TableColumn {
  readonly heading: string;
  readonly align?: 'left' | 'right';
}

const gap = '  ';
/** Of the last column, however narrow the terminal. */
const minimum = 16;
const characters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const wide =
  /\p{Emoji_Presentation}|\uFE0F|[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]/u;
const invisible = /^[\p{M}\u200B-\u200F\u2060]+$/u;

/** Cells a terminal needs: two for 日 and for an emoji. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const { segment } of characters.segment(text)) width += invisible.test(segment) ? 0 : wide.test(segment) ? 2 : 1;
  return width;
}

/** Rows as an aligned table that fits the width: the last column is cut where it does not. */
export function formatTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  width: number,
): string {
  const cells = [columns.map(({ heading }) => heading), ...rows.map((row) => row.map(oneLine))];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => displayWidth(row[index] ?? ''))));
  const last = columns.length - 1;
  const before = widths.slice(0, last).reduce((sum, each) => sum + each + gap.length, 0);
  widths[last] = Math.min(widths[last] ?? 0, Math.max(minimum, width - before));
  const lines = cells.map((row) =>
    columns
      .map(({ align }, index) => pad(row[index] ?? '', widths[index] ?? 0, align))
      .join(gap)
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((each) => '─'.repeat(each)).join(gap));
  return lines.join('\n');
}

/** What a cluster holds may hold line breaks and escape sequences, and must not drive the terminal. */
function oneLine(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ');
}

function pad(text: string, width: number, align: TableColumn['align'] = 'left'): string {
  const shown = displayWidth(text) > width ? `${cut(text, width - 1)}…` : text;
  const space = ' '.repeat(Math.max(0, width - displayWidth(shown)));
  return align === 'right' ? space + shown : shown + space;
}

function cut(text: string, width: number): string {
  let kept = '';
  let used = 0;
  for (const { segment } of characters.segment(text)) {
    used += displayWidth(segment);
    if (used > width) break;
    kept += segment;
  }
  return kept;
}
