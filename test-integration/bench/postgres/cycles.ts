import { sealSnapshot } from '@kollect/core';
import { createCountingRelay } from '../measure/counting-relay.ts';
import { cpuSeconds } from '../measure/cpu.ts';
import { nextMoment } from '../measure/moments.ts';
import { median } from '../measure/statistics.ts';
import { collectGarbage } from '../measure/time.ts';
import { contenders } from './contenders.ts';
import type { Probe } from './database.ts';
import { keepItems, tell, toldBetween } from './kept-inventory.ts';
import { forgetChecksum, openOurs } from './ours.ts';
import { createFigure, type Figure } from './results.ts';
import { sentTarget, unchangedCpuTarget } from './targets.ts';
import { benchScope, type Workload } from './workload.ts';

const rounds = 5;

/** CPU of the operator's process and bytes that it sends, in a cycle of an inventory that is kept and in one that seals anew and compares. */
export async function measureCycles(dsn: string, probe: Probe, { items, nextItems }: Workload): Promise<Figure[]> {
  const target = new URL(dsn);
  const relay = await createCountingRelay({ host: target.hostname, port: Number(target.port) });
  target.hostname = '127.0.0.1';
  target.port = String(relay.port);
  const sink = await openOurs({ dsn: target.href, table: contenders.ours.table });
  const [forth, back] = [toldBetween(items, nextItems), toldBetween(nextItems, items)];
  const cpu = { anew: [] as number[], unchanged: [] as number[], changed: [] as number[] };
  const sent: number[] = [];
  const measured = async (work: () => Promise<void>): Promise<number> => {
    collectGarbage();
    return cpuSeconds(work);
  };
  try {
    await probe.run(`TRUNCATE ${sink.tables.join(', ')}`);
    const inventory = keepItems(items);
    const cycle = async (): Promise<void> =>
      sink.deliver(await inventory.seal({ generation: 1, exportedAt: nextMoment() }));
    await cycle();
    await probe.run(`VACUUM ANALYZE ${sink.tables.join(', ')}`);
    // Round 0 warms up; what is told goes forth and back.
    for (let round = 0; round <= rounds; round += 1) {
      const held = round % 2 === 0 ? items : nextItems;
      await probe.run(forgetChecksum(contenders.ours.table));
      const anew = await measured(async () =>
        sink.deliver(await sealSnapshot({ ...benchScope, generation: 1, exportedAt: nextMoment(), items: held })),
      );
      // Now the last snapshot that the sink knows is the inventory's again.
      await cycle();
      const unchanged = await measured(cycle);
      const before = relay.sentBytes();
      const changed = await measured(() => {
        tell(inventory, round % 2 === 0 ? forth : back);
        return cycle();
      });
      if (round === 0) continue;
      sent.push(relay.sentBytes() - before);
      cpu.anew.push(anew);
      cpu.unchanged.push(unchanged);
      cpu.changed.push(changed);
    }
  } finally {
    await sink.close();
    await relay.close();
  }
  const jsonBytes = forth.set.reduce((total, item) => total + Buffer.byteLength(JSON.stringify(item)), 0);
  return figuresOf({ n: items.length, cpu, sent, jsonBytes });
}

interface Measured {
  readonly n: number;
  readonly cpu: Readonly<Record<'anew' | 'unchanged' | 'changed', readonly number[]>>;
  readonly sent: readonly number[];
  readonly jsonBytes: number;
}

function figuresOf({ n, cpu, sent, jsonBytes }: Measured): Figure[] {
  const [anew, unchanged, changed] = [median(cpu.anew), median(cpu.unchanged), median(cpu.changed)];
  return [
    createFigure({ n, figure: 'CPU of a cycle that seals anew and compares', value: anew, unit: 's' }),
    createFigure({ n, figure: 'CPU of a cycle of an inventory, DELTA', value: changed, unit: 's' }),
    createFigure({ n, figure: 'CPU of a cycle of an inventory, nothing changed', value: unchanged, unit: 's' }),
    createFigure({
      n,
      figure: 'CPU of a cycle, nothing changed: inventory ÷ anew',
      value: unchanged / anew,
      unit: '×',
      target: unchangedCpuTarget,
    }),
    createFigure({
      n,
      figure: 'sent by a cycle of an inventory, DELTA ÷ JSON of what changed',
      value: median(sent) / jsonBytes,
      unit: '×',
      target: sentTarget,
    }),
  ];
}
