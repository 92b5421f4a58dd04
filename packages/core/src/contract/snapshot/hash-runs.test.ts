import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { items } from '../contract.fixture.ts';
import { countRuns, hashRuns } from './hash-runs.ts';
import { createItemEncoder } from './item-encoder.ts';

const scope = { inventoryNamespace: 'team', inventoryName: 'all' };

test('neighbours of many megabytes are hashed with looks at the time between, and as if they lay apart', async () => {
  const encoder = createItemEncoder({ scope, operation: 'seal' });
  const made = items(4_000).map((each) => encoder.toItem({ ...each, attributes: { text: 'x'.repeat(2_000) } }));
  const bytes = made.reduce((sum, { json }) => sum + json.length, 0);
  let looks = 0;
  const slices = { due: () => ((looks += 1), false), next: () => Promise.resolve() };
  const joined = `[${made.map(({ json }) => Buffer.from(json).toString()).join()}]`;
  expect(await hashRuns(made, slices)).toBe(createHash('sha256').update(joined).digest('hex'));
  expect(countRuns(made)).toBeLessThan(20);
  // A run is at most a pool of a MiB.
  expect(looks).toBeGreaterThan(bytes / 1024 / 1024 / 1.5);
  const apart = made.toReversed();
  expect(countRuns(apart)).toBe(apart.length);
  const reversed = `[${apart.map(({ json }) => Buffer.from(json).toString()).join()}]`;
  expect(await hashRuns(apart, slices)).toBe(createHash('sha256').update(reversed).digest('hex'));
});
