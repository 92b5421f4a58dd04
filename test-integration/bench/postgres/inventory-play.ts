import { nextMoment } from '../measure/moments.ts';
import { contenders } from './contenders.ts';
import type { Probe } from './database.ts';
import { keepItems, tell, toldBetween } from './kept-inventory.ts';
import { openOurs } from './ours.ts';
import type { Recorder } from './results.ts';
import type { Workload } from './workload.ts';

export interface InventoryPlay {
  /** Measures one cycle in which nothing changed (WARM) and one DELTA: told, sealed and exported. */
  play(recorder: Recorder): Promise<void>;
  close(): Promise<void>;
}

/** The sink behind an inventory that is kept, as an operator has both. */
export async function createInventoryPlay({
  dsn,
  probe,
  workload: { items, nextItems },
}: {
  readonly dsn: string;
  readonly probe: Probe;
  readonly workload: Workload;
}): Promise<InventoryPlay> {
  const sink = await openOurs({ dsn, table: contenders.ours.table });
  const [table = ''] = sink.tables;
  const told = toldBetween(items, nextItems);
  return {
    async play(recorder) {
      await probe.run(`TRUNCATE ${sink.tables.join(', ')}`, 'CHECKPOINT');
      const inventory = keepItems(items);
      const cycle = async (): Promise<void> =>
        sink.deliver(await inventory.seal({ generation: 1, exportedAt: nextMoment() }));
      await cycle();
      await probe.run(`VACUUM ANALYZE ${sink.tables.join(', ')}`);
      recorder.add('WARM', 'ours-inventory', await probe.measure(cycle));
      await probe.expectRows(table, items.length);
      const changed = await probe.measure(() => {
        tell(inventory, told);
        return cycle();
      });
      recorder.add('DELTA', 'ours-inventory', changed);
      await probe.expectRows(table, nextItems.length);
    },
    close: () => sink.close(),
  };
}
