import { expect, test } from '@jest/globals';
import { SinkError } from '../../contract/errors/errors.ts';
import { fuzz, fuzzTimeoutMs, type Random } from '../../contract/fuzz.fixture.ts';
import type { ExportOutcome } from '../../contract/sink.ts';
import type { Scope } from '../../contract/snapshot/snapshot.ts';
import { eventSinkOver, fakeChannel, headless, type SendFault } from './event-channel.fixture.ts';
import type { EventHead } from './event-head.ts';
import type { EventSink } from './event-sink.ts';
import { items, seal } from './events.fixture.ts';

interface Step {
  readonly inventory: Scope;
  readonly second: number;
  /** Undefined removes the inventory. */
  readonly text?: string;
  readonly count: number;
  readonly incomplete: boolean;
}

/** A sink, and the last time of each inventory that it sent or found. */
interface Process {
  readonly sink: EventSink;
  readonly seen: Map<Scope, number>;
}

const inventories: readonly Scope[] = ['apps', 'Apps'].map((inventoryName) => ({
  inventoryNamespace: 'team',
  inventoryName,
}));
const faults: readonly SendFault[] = ['before', 'after', 'torn', 'repeated'];
const { signal } = new AbortController();
const at = (second: number): string => new Date(Date.UTC(2026, 0, 31, 12, 0, second)).toISOString();
const timeOf = (second: number): number => Date.parse(at(second));

const snapshotOf = ({ inventory, second, text = '', count, incomplete }: Step) =>
  seal({
    cluster: '',
    ...inventory,
    generation: 1,
    exportedAt: at(second),
    items: items(count, text),
    incompleteTargets: incomplete ? ['pods'] : [],
  });

/** What the sink says; undefined where the channel failed. */
async function run({ sink, seen }: Process, step: Step): Promise<ExportOutcome | undefined> {
  const { inventory, second, text } = step;
  try {
    const { outcome } =
      text === undefined
        ? await sink.removeInventory(inventory, { removedAt: at(second), signal })
        : await sink.export(await snapshotOf(step), { signal });
    if (outcome !== 'superseded') seen.set(inventory, Math.max(second, seen.get(inventory) ?? 0));
    return outcome;
  } catch (error) {
    if (SinkError.isInstance(error) && error.code === 'CONTRACT_VIOLATION') return undefined;
    throw error;
  }
}

/** What it must say where nobody else is at work. */
async function expected(step: Step, last: EventHead | undefined, seen: number): Promise<ExportOutcome> {
  const time = timeOf(step.second);
  const isLate = (last?.time ?? 0) > time || seen > step.second;
  if (step.text === undefined) {
    const isGone = last === undefined || last.removed;
    return isGone ? 'unchanged' : isLate ? 'superseded' : 'applied';
  }
  if (isLate) return 'superseded';
  const { checksum } = await snapshotOf(step);
  const isSame = last?.whole === true && !last.removed && last.checksum === checksum;
  const counts = last?.complete === !step.incomplete && (last.complete || last.time === time);
  return isSame && counts ? 'unchanged' : 'applied';
}

function expectOrdered(log: readonly EventHead[]): void {
  const times = log.map(({ time = 0 }) => time);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
}

test(
  'never an older event follows a newer one, whatever two exporters, faults and restarts do',
  async () => {
    await fuzz(40, async (random) => {
      const channel = fakeChannel({ random });
      const start = (): Process => ({ sink: eventSinkOver(channel), seen: new Map() });
      const processes = [start(), start()];
      const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
      let second = 100;
      for (let steps = 0; steps < 60; steps += 1) {
        const inventory = pick(inventories);
        const next = (): Step => stepOf(inventory, (second += random(3)) - random(4), random);
        if (random(8) === 0) processes[random(2)] = start();
        const log = channel.logOf(inventory);
        const before = log.length;
        const kind = random(10);
        if (kind < 6) {
          const [process, step] = [pick(processes), next()];
          const outcome = await expected(step, log.at(-1), process.seen.get(inventory) ?? 0);
          const planned =
            step.text === undefined ? undefined : await process.sink.plan?.(await snapshotOf(step), { signal });
          expect(planned?.outcome ?? outcome).toBe(outcome);
          expect(await run(process, step)).toBe(outcome);
          if (outcome === 'applied')
            expect(log.at(-1)).toMatchObject({
              time: timeOf(step.second),
              whole: true,
              removed: step.text === undefined,
            });
          if (outcome !== 'applied' && step.text !== undefined) expect(log).toHaveLength(before);
        } else if (kind < 8) {
          const both = [next(), next()];
          const said = await Promise.all(processes.map((process, index) => run(process, both[index] as Step)));
          for (const [index, { second: own }] of both.entries())
            if (said[index] === 'applied')
              expect(log.filter(({ whole }) => whole).map(({ time }) => time)).toContain(timeOf(own));
        } else {
          const [process, step] = [pick(processes), next()];
          channel.fault = pick(faults);
          const failed = (await run(process, step)) === undefined;
          channel.fault = undefined;
          // As core does: what failed comes again, and finds out what became of it.
          const outcome = await expected(step, log.at(-1), process.seen.get(inventory) ?? 0);
          if (failed) expect(await run(process, step)).toBe(outcome);
        }
        expectOrdered(log);
      }
    });
  },
  fuzzTimeoutMs,
);

test(
  'where nobody can be asked, no older event follows a newer one of the same process',
  async () => {
    await fuzz(20, async (random) => {
      const channel = fakeChannel({ random });
      const process: Process = { sink: eventSinkOver(headless(channel)), seen: new Map() };
      let second = 100;
      for (let steps = 0; steps < 60; steps += 1) {
        const inventory = inventories[random(2)] as Scope;
        await run(process, stepOf(inventory, (second += random(3)) - random(4), random));
        expectOrdered(channel.logOf(inventory));
      }
    });
  },
  fuzzTimeoutMs,
);

function stepOf(inventory: Scope, second: number, random: Random): Step {
  const text = random(6) === 0 ? {} : { text: String(random(4)) };
  return { inventory, second, ...text, count: random(4), incomplete: random(4) === 0 };
}
