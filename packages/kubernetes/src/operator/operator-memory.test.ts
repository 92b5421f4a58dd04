import { afterEach, expect, test } from '@jest/globals';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createWorld, inventoryOf, memorySpec, type World } from './operator.fixture.ts';

const worlds: World[] = [];
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((each) => each.close()));
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
function heldMegabytes(): number {
  collectGarbage();
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return Math.round((heap + external) / 2 ** 20);
}

const objects = 10_000;

test('ten thousand objects in three inventories: memory, and not one write while nothing changes', async () => {
  const one = createWorld();
  worlds.push(one);
  one.put('KollectSink', 'store', memorySpec);
  const spec = {
    resources: [{ apiVersion: 'v1', kind: 'ConfigMap' }],
    attributes: { owner: '.metadata.labels.owner' },
  };
  one.put('KollectTarget', 'maps', { spec });
  const names = ['portal', 'second', 'third'];
  for (const name of names) one.put('KollectInventory', name, inventoryOf(['store'], ['maps']));
  for (let index = 0; index < objects; index++) {
    one.api.put({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'shop', name: `map-${String(index)}`, labels: { owner: `team-${String(index % 50)}` } },
      data: { text: `${String(index)} ${'x'.repeat(2_000)}` },
    });
  }
  const before = heldMegabytes();
  const startedAt = performance.now();
  one.start({ resync: '5m' });
  const isSynced = (name: string): boolean => one.condition('KollectInventory', name, 'Synced') === 'True Delivered';
  await one.until('all synced', () => names.every((name) => one.rows(name)?.length === objects && isSynced(name)));
  const tookMs = Math.round(performance.now() - startedAt);
  const held = heldMegabytes() - before;
  await one.clock.advance(120_000);
  one.api.clearCalls();
  await one.clock.advance(3_600_000);
  const writes = one.api.writes().length;
  console.log(
    `${String(objects)} objects, 3 inventories: ${String(held)} MB above the API server's own, synced in ${String(tookMs)} ms, ${String(writes)} writes an hour`,
  );
  expect(writes).toBe(0);
  expect(held).toBeLessThan(120);
}, 120_000);
