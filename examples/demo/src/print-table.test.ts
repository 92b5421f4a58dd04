import { describe, expect, test } from '@jest/globals';
import { displayWidth, formatTable } from './print-table.ts';

describe('displayWidth', () => {
  test.each([
    ['abc', 3],
    ['ü', 1],
    ['u\u0308', 1],
    ['日本語', 6],
    ['🛒', 2],
    ['👨‍👩‍👧', 2],
    ['☎️', 2],
    ['', 0],
  ])('%s', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });
});

describe('formatTable', () => {
  const columns = [{ heading: 'name' }, { heading: 'rows', align: 'right' as const }, { heading: 'note' }];

  test('aligns wide characters and numbers', () => {
    expect(
      formatTable(
        columns,
        [
          ['日本', '7', 'a'],
          ['ab', '12', 'b'],
        ],
        80,
      ),
    ).toBe(['name  rows  note', '────  ────  ────', '日本     7  a', 'ab      12  b'].join('\n'));
  });

  test('cuts the last column to the width', () => {
    const lines = formatTable(columns, [['a', '1', '決済'.repeat(30)]], 40).split('\n');
    expect(lines.every((line) => displayWidth(line) <= 40)).toBe(true);
    expect(lines[2]).toMatch(/決….?$/u);
  });

  test('lets no value drive the terminal', () => {
    const text = formatTable([{ heading: 'name' }], [['a\u001B[2Jb\nc\u0007']], 80);
    expect(text.split('\n')).toHaveLength(3);
    expect(text).toContain('ab c');
    // eslint-disable-next-line no-control-regex
    expect(text).not.toMatch(/[\u0000-\u0009\u000B-\u001F]/u);
  });
});
