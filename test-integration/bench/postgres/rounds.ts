import { rotate } from '../measure/statistics.ts';
import { collectGarbage, timed } from '../measure/time.ts';
import type { Contender } from './contender.ts';
import { contenderNames, contenders, isWorthwhile, type ContenderName } from './contenders.ts';
import type { Probe } from './database.ts';
import { createInventoryPlay } from './inventory-play.ts';
import { createLimits } from './limits.ts';
import { forgetChecksum } from './ours.ts';
import { createRecorder, states, type Recorder, type State } from './results.ts';
import { nextMoment } from '../measure/moments.ts';
import { benchScope, itemsOf, type Workload } from './workload.ts';
import { sealSnapshot } from '@kollect/core';

export interface RoundsOptions {
  readonly dsn: string;
  readonly probe: Probe;
  readonly workload: Workload;
  readonly rounds: number;
  readonly progress: (text: string) => void;
}

export interface Rounds {
  readonly recorder: Recorder;
  /** What a COPY of the rows sends, by state. */
  readonly copyBytes: Readonly<Record<State, number>>;
}

/** A row at a time takes long enough to be told from the others by one measurement. */
const onceFrom = 50_000;

/** Measures every variant in every state, one after another in each round, after one round that does not count. */
export async function playRounds({ dsn, probe, workload, rounds, progress }: RoundsOptions): Promise<Rounds> {
  const seal = (items: Workload['items']) => sealSnapshot({ ...benchScope, generation: 1, items });
  const limits = await createLimits(dsn, probe, {
    full: await seal(workload.items),
    next: await seal(workload.nextItems),
  });
  const kept = await createInventoryPlay({ dsn, probe, workload });
  const open = new Map<ContenderName, Contender>();
  let recorder = createRecorder();
  try {
    for (const name of contenderNames)
      open.set(name, await contenders[name].create({ dsn, table: contenders[name].table }));
    for (let round = 0; round <= rounds; round += 1) {
      // Round 0 warms up.
      if (round === 1) recorder = createRecorder();
      progress(round === 0 ? 'warming up' : `round ${round} of ${rounds}`);
      const plays = [
        () => limits.play(recorder),
        () => kept.play(recorder),
        ...[...open].map(([name, contender]) => async () => {
          const count = workload.items.length;
          if (!isWorthwhile(name, count) || (name === 'row-at-a-time' && count >= onceFrom && round !== 1)) return;
          await playContender({ name, contender, probe, recorder, workload });
        }),
      ];
      for (const play of rotate(plays, round)) await play();
    }
  } finally {
    await limits.close();
    await kept.close();
    for (const contender of open.values()) await contender.close();
  }
  const { full, next } = limits.copyBytes;
  return { recorder, copyBytes: { COLD: full, WARM: full, DELTA: next, EMPTIED: 0 } };
}

interface PlayOptions {
  readonly name: ContenderName;
  readonly contender: Contender;
  readonly probe: Probe;
  readonly recorder: Recorder;
  readonly workload: Workload;
}

async function playContender({ name, contender, probe, recorder, workload }: PlayOptions): Promise<void> {
  const [table = ''] = contender.tables;
  const measure = async (
    state: State,
    variants: { readonly alone?: string; readonly withSeal?: string },
  ): Promise<void> => {
    const items = itemsOf(state, workload);
    collectGarbage();
    const staged = await timed(() => contender.stage(items, nextMoment()));
    const sample = await probe.measure(staged.value);
    await probe.expectRows(table, items.length);
    if (variants.alone !== undefined) recorder.add(state, variants.alone, sample);
    if (variants.withSeal !== undefined)
      recorder.add(state, variants.withSeal, { ...sample, ms: staged.ms + sample.ms });
  };

  await probe.run(`TRUNCATE ${contender.tables.join(', ')}`, 'CHECKPOINT');
  for (const state of states) {
    if (name !== 'ours') await measure(state, { alone: name });
    else if (state !== 'WARM') await measure(state, { alone: 'ours', withSeal: 'ours-with-seal' });
    else {
      await measure('WARM', { alone: 'ours' });
      await probe.run(forgetChecksum(contenders.ours.table));
      await measure('WARM', { alone: 'ours-compare', withSeal: 'ours-with-seal' });
    }
    if (state === 'COLD') await probe.run(`VACUUM ANALYZE ${contender.tables.join(', ')}`);
  }
}
