import { afterEach, expect, test } from '@jest/globals';
import { fuzz, fuzzTimeoutMs, type Random } from '../../../core/src/contract/fuzz.fixture.ts';
import type { FakeFault } from '../testing/fake-api-types.ts';
import { applySample, createWorld, deployment, faultySink, inventoryOf, type World } from './operator.fixture.ts';
import type { Operator } from './operator-types.ts';

const worlds: World[] = [];
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((each) => each.close()));
});

// The circuit has timers of Node, for which no time passes here.
const sinkSpec = { spec: { type: 'memory', delivery: { breaker: { failures: 1_000 } } } };
const inventories = ['portal', 'second', 'third'];
const finalizers = ['kollect.dev/exported'];
const faults: readonly FakeFault[] = [
  { kind: 'status', status: 500, reason: 'InternalError' },
  { kind: 'status', status: 429, reason: 'TooManyRequests', retryAfterMs: 2_000 },
  { kind: 'status', status: 409, reason: 'Conflict' },
  { kind: 'status', status: 403, reason: 'Forbidden' },
  { kind: 'reset' },
  { kind: 'silence' },
];

/** One thing that happens to a cluster. */
async function happen(one: World, random: Random, faulty: ReturnType<typeof faultySink>): Promise<void> {
  const { api } = one;
  const shop = (name: string) => ({ namespace: 'shop', name });
  const name = `d${String(random(12))}`;
  const inventory = inventories[random(3)] ?? 'portal';
  const events: readonly (() => void)[] = [
    () => api.put(deployment(name, random(5))),
    () => api.put(deployment(name, random(5))),
    () => api.remove('Deployment', shop(name)),
    () => api.remove('Deployment', shop(name)),
    () => {
      api.remove('Deployment', shop(name));
      api.put(deployment(name, random(5)));
    },
    () => api.fail(faults[random(faults.length)] ?? { kind: 'reset' }, { times: 1 + random(6) }),
    () => api.heal(),
    () => api.endWatches(),
    () => api.forgetHistory(),
    () => void (faulty.down = random(2) === 0),
    () => void (faulty.hangs = random(4) === 0),
    () => api.remove('KollectInventory', shop(inventory)),
    () => one.put('KollectInventory', inventory, inventoryOf(), { finalizers }),
    () => api.remove('KollectSink', shop('store')),
    () => one.put('KollectSink', 'store', random(5) === 0 ? { spec: { type: 'oracle' } } : sinkSpec),
    () => one.put('KollectTarget', 'deployments', random(3) === 0 ? { spec: 5 } : targetWith(random)),
  ];
  events[random(events.length)]?.();
  await one.clock.advance(random(4_000));
}

const targetWith = (random: Random) => ({
  spec: {
    resources: [{ apiVersion: 'apps/v1', kind: 'Deployment' }],
    attributes: random(2) === 0 ? { replicas: '.spec.replicas' } : { name: '.metadata.name' },
  },
});

test(
  'whatever happens, in the end the store holds what the API server holds',
  async () => {
    await fuzz(25, async (random) => {
      const faulty = faultySink();
      const one = createWorld({ wrap: faulty.wrap });
      worlds.push(one);
      applySample(one);
      one.put('KollectSink', 'store', sinkSpec);
      for (const name of inventories) one.put('KollectInventory', name, inventoryOf());
      let operator: Operator = one.start();
      for (let step = 0; step < 60; step++) {
        await happen(one, random, faulty);
        if (random(25) > 0) continue;
        let closed = false;
        void operator.close().then(() => (closed = true));
        await one.until('closed', () => closed);
        operator = one.start();
      }
      one.api.heal();
      faulty.down = false;
      faulty.hangs = false;
      one.put('KollectSink', 'store', sinkSpec);
      one.put(
        'KollectTarget',
        'deployments',
        targetWith(() => 0),
      );
      await one.clock.advance(1_200_000);
      const names = one.api.readAll('Deployment').map(({ metadata }) => metadata.name);
      const held = one.api.readAll('KollectInventory').map(({ metadata }) => metadata.name);
      for (const inventory of held) {
        expect([inventory, one.rows(inventory)]).toEqual([inventory, names]);
        expect(one.condition('KollectInventory', inventory, 'Synced')).toBe('True Delivered');
        expect(one.condition('KollectInventory', inventory, 'Degraded')).toBe('False AsExpected');
      }
      expect(one.condition('KollectSink', 'store', 'Degraded')).toBe('False AsExpected');
      expect(operator.health).toEqual({ live: true, ready: true, leading: true });
      one.api.clearCalls();
      await one.clock.advance(3_600_000);
      expect(one.api.writes()).toEqual([]);
      await Promise.all(worlds.splice(0).map((each) => each.close()));
      expect(one.clock.timers).toBe(0);
    });
  },
  fuzzTimeoutMs * 4,
);
