import { once } from 'node:events';
import { peakMemoryAbove } from '../measure/memory.ts';
import { contenders, type ContenderName } from './contenders.ts';
import type { State } from './results.ts';
import { nextMoment } from '../measure/moments.ts';
import { createWorkload, itemsOf } from './workload.ts';

/** What the process is told to do, as JSON in its first argument. */
export interface FootprintJob {
  readonly dsn: string;
  readonly contender: ContenderName;
  readonly state: State;
  readonly n: number;
}

// One export in a process of its own, so that no figure holds the memory of another. It says "ready" when the items are loaded,
// exports when it hears something, and answers with the bytes that its memory grew by.
const job = JSON.parse(process.argv[2] ?? '') as FootprintJob;
const { table, create } = contenders[job.contender];
const contender = await create({ dsn: job.dsn, table });
const items = itemsOf(job.state, createWorkload(job.n));
process.send?.('ready');
await once(process, 'message');
const peakBytes = await peakMemoryAbove(async () => {
  const deliver = await contender.stage(items, nextMoment());
  await deliver();
});
process.send?.(peakBytes);
await contender.close();
process.disconnect();
