import { setImmediate } from 'node:timers/promises';
import { jetstream, type JetStreamClient } from '@nats-io/jetstream';
import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { sealSnapshot, type InventorySnapshot, type KollectSink } from '@kollect/core';
import { formatSubject } from '@kollect/sink-nats';
import { makeItems } from '@kollect/sink-testkit';
import { startNats } from '../../servers/nats.ts';
import { natsSinkOver, openTestStream, type StoredMessage, type TestStream } from '../../support/nats.ts';
import type { BenchOptions } from '../bench-options.ts';
import { amount } from '../measure/amount.ts';
import { currentLoad, describeMachine } from '../measure/environment.ts';
import { markdownTable } from '../measure/markdown-table.ts';
import { median } from '../measure/statistics.ts';
import { collectGarbage, longestStall, timed } from '../measure/time.ts';
import { createFigure, type Figure } from './results.ts';

const defaultRounds = 15;
const never = (): { readonly signal: AbortSignal } => ({ signal: new AbortController().signal });

interface Case {
  readonly figure: string;
  /** Of one document, about. */
  readonly bytes: number;
  /** Inventories exported at once. */
  readonly atOnce?: number;
  /** Exports in a row, of which the time of one is told. */
  readonly inARow?: number;
  readonly unchanged?: boolean;
  readonly target: number;
}

const kib = 1_024;
const cases: readonly Case[] = [
  { figure: '1 KiB, awaited', bytes: kib, inARow: 100, target: 1.15 },
  { figure: '500 inventories of 1 KiB at once', bytes: kib, atOnce: 500, target: 1.15 },
  { figure: '1 MiB', bytes: kib * kib, target: 1.15 },
  { figure: '20 MiB in parts, one batch', bytes: 20 * kib * kib, target: 1.2 },
  { figure: '1 KiB, unchanged, against one question', bytes: kib, inARow: 100, unchanged: true, target: 1.15 },
];

/** Measures exports against the client of the NATS authors with the same bytes, headers and sequence check; see docs/benchmarks.md. */
export async function runNatsBench({ json, rounds = defaultRounds }: BenchOptions): Promise<void> {
  if (!json) console.log(`${new Date().toISOString()}, ${describeMachine()}, load ${currentLoad().toFixed(2)}`);
  const server = await startNats({ config: 'max_payload: 2MB' });
  const figures: Figure[] = [];
  try {
    for (const each of cases) {
      const ours = await openTestStream({ server });
      const bare = await openTestStream({ server });
      const sink = natsSinkOver({ stream: ours, server, spec: { maxMessageBytes: 1_500_000, requestTimeout: '15s' } });
      try {
        figures.push(await measure(each, { ours, bare, sink, rounds }));
        if (json) console.log(JSON.stringify(figures.at(-1)));
      } finally {
        await sink.close();
        await Promise.all([ours.close(), bare.close()]);
      }
    }
  } finally {
    await server.stop();
  }
  if (!json) console.log(`\n${render(figures)}\n\nLoad at the end ${currentLoad().toFixed(2)}.`);
}

interface Contenders {
  readonly ours: TestStream;
  readonly bare: TestStream;
  readonly sink: KollectSink;
  readonly rounds: number;
}

async function measure(
  { figure, bytes, atOnce = 1, inARow = 1, unchanged = false, target }: Case,
  { ours, bare, sink, rounds }: Contenders,
): Promise<Figure> {
  const publisher = jetstream(bare.client, { timeout: 30_000 });
  const samples = { ours: [] as number[], bare: [] as number[] };
  const heads = new Map<string, number>();
  let groups: StoredMessage[][] = [];
  let made = 0;
  let stallMs = 0;
  // The first rounds are not counted: both clients get compiled.
  for (let round = -2; round < rounds; round += 1) {
    const snapshots: InventorySnapshot[] = [];
    for (let index = 0; index < atOnce * inARow; index += 1) {
      made += unchanged && round > -2 ? 0 : 1;
      snapshots.push(
        await snapshotOf(bytes, { seed: made, name: `web-${index % atOnce}`, at: (round + 3) * 1_000 + index }),
      );
      if (index % 50 === 0) await setImmediate();
    }
    const exportAll = async (): Promise<void> => {
      for (let row = 0; row < inARow; row += 1)
        await Promise.all(snapshots.slice(row * atOnce, (row + 1) * atOnce).map((each) => sink.export(each, never())));
    };
    collectGarbage();
    let ms = 0;
    const stall = await longestStall(async () => ({ ms } = await timed(exportAll)));
    // The same bytes each time: the bare client does not look at them.
    if (groups.length === 0 && !unchanged) groups = await sentBy(ours, snapshots);
    collectGarbage();
    const { ms: bareMs } = await timed(async () => {
      if (unchanged) return askAll(ours, snapshots);
      for (let row = 0; row < inARow; row += 1)
        await Promise.all(
          groups.slice(row * atOnce, (row + 1) * atOnce).map((each) => publishBare(publisher, bare, each, heads)),
        );
      return undefined;
    });
    if (round < 0) continue;
    stallMs = Math.max(stallMs, stall);
    samples.ours.push(ms / inARow);
    samples.bare.push(bareMs / inARow);
  }
  return createFigure(figure, { ours: median(samples.ours), bare: median(samples.bare), target, stallMs });
}

/** The messages of each snapshot, as they are in the stream. */
async function sentBy(stream: TestStream, snapshots: readonly InventorySnapshot[]): Promise<StoredMessage[][]> {
  const byTime = new Map<string, StoredMessage[]>();
  const keyOf = (subject: string, time: string): string => `${subject} ${time}`;
  for (const message of await stream.messages()) {
    const key = keyOf(message.subject, message.headers['kollect.dev/exported-at'] ?? '');
    byTime.set(key, [...(byTime.get(key) ?? []), message]);
  }
  return snapshots.map(
    (snapshot) => byTime.get(keyOf(formatSubject(snapshot, stream.prefix), snapshot.exportedAt)) ?? [],
  );
}

const own = /^Nats-/u;

async function publishBare(
  publisher: JetStreamClient,
  { name, prefix }: TestStream,
  messages: readonly StoredMessage[],
  heads: Map<string, number>,
): Promise<void> {
  const [first, ...others] = messages;
  if (first === undefined) throw new Error('Nothing was published to repeat.');
  const subject = `${prefix}.${first.subject.split('.').slice(-3).join('.')}`;
  const expect = { streamName: name, lastSubjectSequence: heads.get(subject) ?? 0 };
  if (others.length === 0) {
    const { seq } = await publisher.publish(subject, first.body, { headers: headersOf(first), expect });
    heads.set(subject, seq);
    return;
  }
  const last = others.pop();
  const batch = await publisher.startBatch(subject, first.body, { headers: headersOf(first), expect });
  for (const each of others) batch.add(subject, each.body, { headers: headersOf(each) });
  const { seq } = await batch.commit(subject, last?.body, { headers: headersOf(last ?? first) });
  heads.set(subject, seq);
}

function headersOf(message: StoredMessage): MsgHdrs {
  const made = headers();
  for (const [name, value] of Object.entries(message.headers)) if (!own.test(name)) made.set(name, value);
  return made;
}

async function askAll({ manager, name, prefix }: TestStream, snapshots: readonly InventorySnapshot[]): Promise<void> {
  for (const snapshot of snapshots)
    await manager.streams.getMessage(name, { last_by_subj: formatSubject(snapshot, prefix) });
}

const start = Date.now() - 40_000_000;

async function snapshotOf(
  bytes: number,
  { seed, name, at }: { readonly seed: number; readonly name: string; readonly at: number },
): Promise<InventorySnapshot> {
  const count = Math.max(1, Math.floor(bytes / 2_048));
  const items = makeItems({ count, seed, bytes: Math.floor(bytes / count) - 350 });
  const exportedAt = new Date(start + at).toISOString();
  return sealSnapshot({
    cluster: 'prod',
    inventoryNamespace: 'team-a',
    inventoryName: name,
    generation: 1,
    exportedAt,
    items,
  });
}

function render(figures: readonly Figure[]): string {
  const rows = figures.map(({ figure, ours, bare, ratio, target, verdict, stallMs }) => [
    figure,
    `${amount(ours)} ms`,
    `${amount(bare)} ms`,
    ratio.toFixed(2),
    `≤ ${target}`,
    verdict,
    `${amount(stallMs)} ms`,
  ]);
  return markdownTable(['figure', 'ours', 'bare', 'ratio', 'target', 'verdict', 'longest stall'], rows, 1);
}
