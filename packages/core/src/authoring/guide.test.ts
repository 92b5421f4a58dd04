import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

const guide = readFileSync(new URL('../../../../docs/sink-authoring.md', import.meta.url), 'utf8');
const index = readFileSync(new URL('index.ts', import.meta.url), 'utf8');

test('the guide names every function and value that authors can take; their types lead to the rest', () => {
  const lists = [...index.matchAll(/^export \{(?<names>[^}]*)\}/gmu)];
  const names = lists.flatMap(({ groups }) => (groups?.['names'] ?? '').split(',').map((name) => name.trim()));
  const values = names.filter((name) => /^[a-z]\w*$/u.test(name));
  expect(values.length).toBeGreaterThan(50);
  expect(values.filter((name) => !new RegExp(`\\b${name}\\b`, 'u').test(guide))).toEqual([]);
});
