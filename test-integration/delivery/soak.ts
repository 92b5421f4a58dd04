import { setTimeout as sleep } from 'node:timers/promises';
import { createExporter, createSinkRegistry } from '@kollect/core';
import { kafkaSink } from '@kollect/sink-kafka';
import { postgresSink } from '@kollect/sink-postgres';
import { collectGarbage } from '../bench/measure/time.ts';
import { backendNames, type BackendName, type Backends } from './backends.ts';
import { faults, type FaultName } from './faults.ts';
import { startStorm } from './storm.ts';

export interface SoakOptions {
  readonly backends: Backends;
  readonly fault: FaultName;
  /** Whose store is disturbed. */
  readonly target: BackendName;
  /** How long the exports go on: a quarter of it undisturbed, half with the fault, a quarter after it. */
  readonly seconds: number;
  readonly inventories: number;
  readonly intervalMs: number;
}

/** What one fault did to the exports to both stores. */
export interface SoakResult {
  readonly fault: FaultName;
  readonly target: BackendName;
  readonly calls: number;
  readonly outcomes: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Of the other store: 99 of 100 exports took no longer, in milliseconds, undisturbed and while the fault lasted. */
  readonly otherP99: { readonly undisturbedMs: number; readonly disturbedMs: number; readonly ratio: number };
  /** Bytes that live in the heap, in the middle and at the end. */
  readonly heap: { readonly middleMb: number; readonly endMb: number; readonly ratio: number };
  /** Time from the last change to both stores holding every last snapshot. */
  readonly settledMs: number;
  /** Inventories whose last snapshot is missing; empty where the promise was kept. */
  readonly lacking: Readonly<Record<BackendName, readonly string[]>>;
  readonly unhandled: readonly string[];
}

/** What an interval is here: the longest that a sink waits before it is tried again. */
const settleMs = 15_000;

export async function soak({
  backends,
  fault,
  target,
  seconds,
  inventories,
  intervalMs,
}: SoakOptions): Promise<SoakResult> {
  const unhandled: string[] = [];
  const note = (reason: unknown): void => void unhandled.push(String(reason));
  process.on('unhandledRejection', note);
  const exporter = createExporter({ registry: createSinkRegistry([postgresSink, kafkaSink]) });
  for (const name of backendNames) exporter.updateSink(backends[name].resource);
  const storm = startStorm({ exporter, sinks: backendNames, inventories, intervalMs, itemsEach: 20 });
  const other: BackendName = target === 'postgres' ? 'kafka' : 'postgres';
  const quarterMs = (seconds * 1_000) / 4;
  try {
    // The first exports make the tables and connections.
    await sleep(Math.min(3_000, quarterMs / 2));
    const undisturbed = storm.measure();
    await sleep(quarterMs - Math.min(3_000, quarterMs / 2));
    const disturbed = storm.measure();
    const ended = faults[fault](backends[target], 2 * quarterMs);
    await sleep(quarterMs);
    const middle = heapMb();
    await ended;
    const [before, after] = [undisturbed, disturbed].map(
      (histograms) => (histograms.get(other)?.percentile(99) ?? Number.NaN) / 1_000,
    );
    storm.measure();
    await sleep(quarterMs);
    const end = heapMb();
    await storm.stop();
    const stoppedAt = performance.now();
    const lacking = await whenSettled(backends, storm.latest);
    return {
      fault,
      target,
      calls: storm.calls,
      outcomes: storm.outcomes(),
      otherP99: {
        undisturbedMs: before ?? Number.NaN,
        disturbedMs: after ?? Number.NaN,
        ratio: (after ?? Number.NaN) / (before ?? Number.NaN),
      },
      heap: { middleMb: middle, endMb: end, ratio: end / middle },
      settledMs: performance.now() - stoppedAt,
      lacking,
      unhandled,
    };
  } finally {
    await storm.stop();
    await exporter.close();
    process.off('unhandledRejection', note);
  }
}

async function whenSettled(
  backends: Backends,
  latest: Parameters<Backends[BackendName]['lacking']>[0],
): Promise<SoakResult['lacking']> {
  for (const end = performance.now() + settleMs; ; await sleep(250)) {
    const [postgres, kafka] = await Promise.all(backendNames.map((name) => backends[name].lacking(latest)));
    const lacking = { postgres: postgres ?? [], kafka: kafka ?? [] };
    if ((lacking.postgres.length === 0 && lacking.kafka.length === 0) || performance.now() > end) return lacking;
  }
}

function heapMb(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed / 1e6;
}
