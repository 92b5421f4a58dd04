import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { peakMemoryAbove } from '../measure/memory.ts';
import { collectGarbage } from '../measure/time.ts';
import { caseNamed } from './cases.ts';
import type { Contender } from './contender.ts';
import { contenders } from './contenders.ts';
import type { NodeVariant, Sample } from './results.ts';
import { countWireBytes } from './wire-bytes.ts';
import { sealSnapshots } from './workload.ts';

/** What the process is asked to do: one measurement of one case, with the client of that case, which stays connected. */
export interface PlayRequest {
  readonly broker: string;
  readonly topic: string;
  readonly case: string;
}

export type PlayAnswer = { readonly sample: Sample } | { readonly error: string };

// One variant in a process of its own, so that neither processor time nor memory is that of another.
const variant = process.argv[2] as NodeVariant;
const wireBytes = countWireBytes();
const open = new Map<string, Contender>();

process.on('message', (request: PlayRequest | 'close') => {
  if (request === 'close') void close();
  else
    void play(request).then(answer, (error: unknown) =>
      answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
});
answer(undefined);

function answer(value: PlayAnswer | undefined): void {
  process.send?.(value ?? 'ready');
}

async function play({ broker, topic, case: name }: PlayRequest): Promise<PlayAnswer> {
  const benchCase = caseNamed(name);
  let contender = open.get(name);
  if (contender === undefined) open.set(name, (contender = await contenders[variant]({ broker, topic, benchCase })));
  const publish = contender.stage(await sealSnapshots(benchCase));
  collectGarbage();
  const sentBefore = wireBytes();
  const delays = monitorEventLoopDelay({ resolution: 1 });
  let ms = 0;
  let cpuMs = 0;
  const rssBytes = await peakMemoryAbove(async () => {
    delays.enable();
    // The histogram compares two ticks: without one before and one after the work a stall at its ends is not seen.
    await sleep(20);
    const cpuBefore = process.cpuUsage();
    const start = performance.now();
    await publish();
    ms = performance.now() - start;
    const { user, system } = process.cpuUsage(cpuBefore);
    cpuMs = (user + system) / 1_000;
    await sleep(20);
    delays.disable();
  });
  const stallMs = Math.max(0, delays.max / 1e6 - 1);
  return { sample: { ms, cpuMs, rssMb: rssBytes / 1e6, stallMs, wireBytes: wireBytes() - sentBefore } };
}

async function close(): Promise<void> {
  for (const contender of open.values()) await contender.close();
  process.disconnect();
}
