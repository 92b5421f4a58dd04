import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { SinkError, sinkErrorCodes } from './errors.ts';

const page = readFileSync(new URL('../../../../../docs/errors.md', import.meta.url), 'utf8');
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

test('docs/errors.md lists every code, in order, with its reason and whether it is retryable', () => {
  const documented = rows.map(([code, reason, retryable]) => ({ code, reason, retryable }));
  const known = sinkErrorCodes.map((code) => {
    const { reason, retryable } = new SinkError(code, '');
    return { code: `\`${code}\``, reason, retryable: retryable ? 'yes' : 'no' };
  });
  expect(documented).toEqual(known);
});

test('docs/errors.md says what each code means and what to do', () => {
  for (const cells of rows) {
    expect(cells).toHaveLength(5);
    for (const cell of cells.slice(3)) expect(cell).toMatch(/^[A-Z].{10,}\.$/u);
  }
});
