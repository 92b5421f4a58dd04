import { setTimeout as sleep } from 'node:timers/promises';
import { createInventory, sealSnapshot } from '@kollect/core';
import { collectGarbage } from '../measure/time.ts';
import { benchScope, createWorkload } from '../postgres/workload.ts';
import type { HeldMemory } from './results.ts';

/** Memory of an inventory of which 1 % changed since it was sealed first, and of its last snapshot; names that it shares with the items are not counted. */
export async function measureHeldMemory(n: number): Promise<HeldMemory> {
  const { items, nextItems } = createWorkload(n);
  // What texts take in the items given is settled when they were read once: joined ones are made flat then.
  for (const each of [items, nextItems]) await sealSnapshot({ ...benchScope, generation: 1, items: each });
  const before = await heldNow();
  const inventory = createInventory(benchScope);
  for (const item of items) inventory.set(item);
  await inventory.seal({ generation: 1 });
  for (const item of nextItems) inventory.set(item);
  const kept = new Set(nextItems.map(({ uid }) => uid));
  for (const { uid, targetNamespace, targetName } of items)
    if (!kept.has(uid)) inventory.delete({ target: { namespace: targetNamespace, name: targetName }, uid });
  kept.clear();
  const last = await inventory.seal({ generation: 1 });
  // Bytes of items lie beside the heap, and the last snapshot shares them.
  const heldBytes = (await heldNow()) - before + inventory.reservedBytes;
  // All are read once more, so that none is collected before.
  if (last.items.length !== nextItems.length || items.length === 0) throw new Error('The inventory lost items.');
  return { n: last.items.length, heldBytes, jsonBytes: inventory.bytes };
}

async function heldNow(): Promise<number> {
  collectGarbage();
  // What finalizers hold goes with the second collection.
  await sleep(100);
  collectGarbage();
  return process.memoryUsage().heapUsed;
}
