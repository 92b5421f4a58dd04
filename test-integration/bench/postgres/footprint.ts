import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createCountingRelay } from '../measure/counting-relay.ts';
import { contenderNames, contenders, isWorthwhile, type ContenderName } from './contenders.ts';
import { benchSchema, type Probe } from './database.ts';
import type { FootprintJob } from './footprint-child.ts';
import { forgetChecksum } from './ours.ts';
import { states, type State } from './results.ts';

/** What one export costs the client beside time, staging (sealing) included. */
export interface Footprint {
  readonly state: State;
  readonly variant: string;
  readonly sentBytes: number;
  /** Peak of the resident memory above the loaded items, in MB. */
  readonly rssMb: number;
}

export interface FootprintOptions {
  readonly dsn: string;
  readonly probe: Probe;
  readonly n: number;
  readonly progress: (text: string) => void;
}

/** Runs each contender in each state once, in a child process and through a relay that counts. */
export async function measureFootprints({ dsn, probe, n, progress }: FootprintOptions): Promise<Footprint[]> {
  const target = new URL(dsn);
  const relay = await createCountingRelay({ host: target.hostname, port: Number(target.port) });
  target.hostname = '127.0.0.1';
  target.port = String(relay.port);
  const footprints: Footprint[] = [];
  const run = async (contender: ContenderName, state: State, variant: string): Promise<void> => {
    progress(`memory and traffic: ${variant}, ${state}`);
    footprints.push({
      state,
      variant,
      ...(await runChild({ dsn: target.href, contender, state, n }, relay.sentBytes)),
    });
  };
  try {
    for (const name of contenderNames.filter((each) => isWorthwhile(each, n))) {
      const tables = name === 'ours' ? ['ours', 'ours_exports'] : [contenders[name].table];
      const qualified = tables.map((table) => `${benchSchema}.${table}`).join(', ');
      await probe.run(`TRUNCATE ${qualified}`, 'CHECKPOINT');
      for (const state of states) {
        await run(name, state, name);
        if (state === 'COLD') await probe.run(`VACUUM ANALYZE ${qualified}`);
        if (state !== 'WARM' || name !== 'ours') continue;
        await probe.run(forgetChecksum(contenders.ours.table));
        await run(name, state, 'ours-compare');
      }
    }
  } finally {
    await relay.close();
  }
  return footprints;
}

async function runChild(job: FootprintJob, sentBytes: () => number): Promise<Pick<Footprint, 'sentBytes' | 'rssMb'>> {
  const child = fork(new URL('footprint-child.ts', import.meta.url), [JSON.stringify(job)], {
    execArgv: ['--expose-gc'],
  });
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`The process that measures ${job.contender} ended early (${String(signal ?? code)}).`);
  });
  // It also ends when all is done; only before that it is an error.
  ended.catch(() => undefined);
  const answer = async (): Promise<unknown> => (await Promise.race([once(child, 'message'), ended]))[0];
  await answer();
  const before = sentBytes();
  child.send('go');
  const peakBytes = Number(await answer());
  return { sentBytes: sentBytes() - before, rssMb: peakBytes / 1e6 };
}
