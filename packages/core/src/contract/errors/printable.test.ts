import { expect, test } from '@jest/globals';
import { requirePrintable } from './printable.ts';

test.each(['app', 'a b', 'ü😀', ''])('%j is what it was', (text) => {
  expect(requirePrintable(text, 'The credentials: username')).toBe(text);
});

test.each([
  ['k\0user\0nobody', 'the character U+0000 at character 2'],
  ['geheim\n', 'a line break at character 7'],
  ['a\tb', 'a tab at character 2'],
  ['\u001b[31m', 'the character U+001B at character 1'],
  ['\u0085', 'the character U+0085 at character 1'],
  ['\ud800', 'the character U+D800 at character 1'],
])('%j is SPEC_INVALID naming the field and showing nothing of it', (text, part) => {
  expect(() => requirePrintable(text, 'The credentials: username', 'postgres')).toThrow(
    expect.objectContaining({
      code: 'SPEC_INVALID',
      sinkType: 'postgres',
      message: `The credentials: username holds ${part}, which it cannot carry: remove it.`,
    }),
  );
});
