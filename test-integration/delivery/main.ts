import { parseArgs } from 'node:util';
import { describeMachine } from '../bench/measure/environment.ts';
import { backendNames, startBackends } from './backends.ts';
import { faultNames } from './faults.ts';
import { soak, type SoakResult } from './soak.ts';

const usage = `usage: pnpm soak [--seconds 60] [--rounds 1] [--faults ${faultNames.join(',')}] [--targets ${backendNames.join(',')}] [--inventories 50] [--interval 100] [--json]
  --seconds   of each fault at each store
  --interval  milliseconds between two exports of an inventory`;

// What fails here is what the promise of delivery is broken by.
const maxP99Ratio = 1.5;
const maxHeapRatio = 1.2;

function problems({ otherP99, heap, lacking, unhandled }: SoakResult): string[] {
  return [
    ...(otherP99.ratio > maxP99Ratio
      ? [
          `the other store's p99 was ${otherP99.ratio.toFixed(2)} times its undisturbed value, expected at most ${maxP99Ratio}`,
        ]
      : []),
    ...(heap.ratio > maxHeapRatio
      ? [`the heap was ${heap.ratio.toFixed(2)} times that of the middle, expected at most ${maxHeapRatio}`]
      : []),
    ...backendNames.flatMap((name) =>
      lacking[name].length > 0
        ? [`${name} lacks the last snapshot of ${lacking[name].length} inventories, such as ${lacking[name][0]}`]
        : [],
    ),
    ...unhandled.map((reason) => `unhandled rejection: ${reason}`),
  ];
}

function among<const T extends string>(option: string, text: string, known: readonly T[]): T[] {
  const chosen = text.split(',');
  const unknown = chosen.find((name) => !(known as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Error(`--${option} knows ${known.join(', ')}, found "${unknown}".\n${usage}`);
  return chosen as T[];
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`--${option} expects a positive integer, found "${text}".\n${usage}`);
}

try {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      rounds: { type: 'string', default: '1' },
      faults: { type: 'string', default: faultNames.join(',') },
      targets: { type: 'string', default: backendNames.join(',') },
      inventories: { type: 'string', default: '50' },
      interval: { type: 'string', default: '100' },
      json: { type: 'boolean', default: false },
    },
  });
  const seconds = positive('seconds', values.seconds);
  const chosen = among('faults', values.faults, faultNames).flatMap((fault) =>
    among('targets', values.targets, backendNames).map((target) => ({ fault, target })),
  );
  const backends = await startBackends();
  try {
    if (!values.json) console.log(`${new Date().toISOString()}, ${describeMachine()}`);
    for (let round = 0; round < positive('rounds', values.rounds); round += 1) {
      for (const { fault, target } of chosen) {
        const result = await soak({
          backends,
          fault,
          target,
          seconds,
          inventories: positive('inventories', values.inventories),
          intervalMs: positive('interval', values.interval),
        });
        const found = problems(result);
        if (found.length > 0) process.exitCode = 1;
        if (values.json) console.log(JSON.stringify({ ...result, problems: found }));
        else console.log(render(result, found));
      }
    }
  } finally {
    for (const name of backendNames) await backends[name].stop();
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

function render(
  { fault, target, calls, outcomes, otherP99, heap, settledMs }: SoakResult,
  found: readonly string[],
): string {
  const counted = Object.entries(outcomes).map(
    ([sink, counts]) =>
      `  ${sink}: ${Object.entries(counts)
        .map(([outcome, count]) => `${outcome} ${count}`)
        .join(', ')}`,
  );
  const p99 = `  p99 of the other store ${otherP99.undisturbedMs.toFixed(1)} ms undisturbed, ${otherP99.disturbedMs.toFixed(1)} ms with the fault (${otherP99.ratio.toFixed(2)} ×)`;
  const memory = `  heap ${heap.middleMb.toFixed(1)} MB in the middle, ${heap.endMb.toFixed(1)} MB at the end (${heap.ratio.toFixed(2)} ×); settled after ${Math.round(settledMs)} ms`;
  return [
    `\n${fault} of ${target}: ${calls} exports asked for`,
    ...counted,
    p99,
    memory,
    ...(found.length === 0 ? ['  every promise was kept'] : found.map((problem) => `  BROKEN: ${problem}`)),
  ].join('\n');
}
