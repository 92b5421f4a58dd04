import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import * as authoring from '@kollect/core/authoring';

const guide = readFileSync(new URL('../../../docs/sink-authoring.md', import.meta.url), 'utf8');

test.each(['file-store.ts', 'file-errors.ts', 'file-sink.ts'])('the guide shows %s as it is', (file) => {
  const [, block] = guide.split(`\`\`\`ts\n// ${file}\n`);
  expect(block?.split('\n```')[0]).toBe(readFileSync(new URL(file, import.meta.url), 'utf8').trimEnd());
});

test('what the guide tells to take is there to be taken', () => {
  const table = guide.split('### What else')[1]?.split('\n## ')[0] ?? '';
  const names = [...table.matchAll(/`([A-Za-z]+)`/gu)].map(([, name = '']) => name);
  expect(names.length).toBeGreaterThan(20);
  expect(names.filter((name) => !(name in authoring) && !['readSnapshots', 'snapshotChanges'].includes(name))).toEqual(
    [],
  );
});

test('the sink is as small as the guide says', () => {
  const lines = ['file-store.ts', 'file-errors.ts', 'file-sink.ts', 'main.ts'].map(
    (file) => readFileSync(new URL(file, import.meta.url), 'utf8').split('\n').length - 1,
  );
  expect(lines.reduce((sum, count) => sum + count)).toBeLessThan(200);
});
