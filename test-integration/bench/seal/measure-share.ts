import { createHash, hash } from 'node:crypto';
import { createInventory, sealSnapshot, type Item } from '@kollect/core';
import { rotate, median } from '../measure/statistics.ts';
import { collectGarbage, timed } from '../measure/time.ts';
import { benchScope } from '../postgres/workload.ts';
import { variants, type Line, type Variant } from './results.ts';
import { createChange } from './workload.ts';

/** So many items at least are sealed in each measurement: one of them alone is too short to be told from noise. */
const leastItems = 5_000;

interface Sample {
  readonly ms: number;
  readonly cpuMs: number;
}

export interface ShareOptions {
  readonly n: number;
  readonly changedPercent: number;
  readonly rounds: number;
}

/** Measures every variant one after another in each round, after one round that does not count. */
export async function measureShare({ n, changedPercent, rounds }: ShareOptions): Promise<Line[]> {
  const play = await createPlays(n, changedPercent);
  const samples = new Map<Variant, Sample[]>(variants.map((variant) => [variant, []]));
  // An even number brings the inventory back to where it was, and changes it each time.
  const times = n >= leastItems ? 2 : 2 * Math.ceil(leastItems / n / 2);
  for (let round = 0; round <= rounds; round += 1)
    for (const variant of rotate(variants, round)) {
      const sample = await measureTimes(play[variant], times);
      if (round > 0) samples.get(variant)?.push(sample);
    }
  return variants.map((variant) => {
    const of = samples.get(variant) ?? [];
    const [ms, cpuMs] = [median(of.map((sample) => sample.ms)), median(of.map((sample) => sample.cpuMs))];
    return { bench: 'seal', n, changedPercent, variant, ms, cpuMs };
  });
}

async function measureTimes(play: (time: number) => unknown, times: number): Promise<Sample> {
  collectGarbage();
  const before = process.cpuUsage();
  const { ms } = await timed(async () => {
    for (let time = 0; time < times; time += 1) await play(time);
  });
  const { user, system } = process.cpuUsage(before);
  return { ms: ms / times, cpuMs: (user + system) / 1_000 / times };
}

type Play = (time: number) => unknown;

async function createPlays(n: number, changedPercent: number): Promise<Readonly<Record<Variant, Play>>> {
  const { versions, changed } = createChange(n, changedPercent);
  const sealAnew = (items: readonly Item[]) => sealSnapshot({ ...benchScope, generation: 1, items });
  const expected = [await sealAnew(versions[0]), await sealAnew(versions[1])] as const;
  const bytes = expected.map(({ items }) => Buffer.concat(items.map(({ json }) => json)));
  const inventory = createInventory(benchScope);
  for (const item of versions[0]) inventory.set(item);
  await inventory.seal({ generation: 1 });
  const versionAt = (time: number): 0 | 1 => (time % 2 === 0 ? 1 : 0);
  return {
    plain: (time) => stringifyAndHash(versions[versionAt(time)]),
    hash: (time) => hash('sha256', bytes[versionAt(time)] ?? ''),
    anew: (time) => sealAnew(versions[versionAt(time)]),
    async inventory(time) {
      const version = versionAt(time);
      for (const item of changed[version]) inventory.set(item);
      const { checksum } = await inventory.seal({ generation: 1 });
      if (checksum !== expected[version].checksum)
        throw new Error('The inventory did not seal what sealSnapshot seals: the figures would mean nothing.');
    },
  };
}

function stringifyAndHash(items: readonly Item[]): string {
  const sum = createHash('sha256');
  for (const item of items) sum.update(JSON.stringify(item));
  return sum.digest('hex');
}
