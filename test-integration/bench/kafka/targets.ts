import { createFigure, type Figure, type Line, type Variant } from './results.ts';

/** Most that the sink may take, as a multiple of the client used bare with bytes made before. */
const bareTargets = { '1KiB-awaited': 1.15, '1MiB-zstd': 1.15, '20MiB-parts-zstd': 1.2 } as const;
/** Most that a small export may take, as a multiple of what a user would write. */
const userTarget = 1.1;
const partMb = 0.9216;
const clients = ['kafkajs', 'platformatic'] as const;

/** Most that the sink may take, as a multiple of what Java's producer takes. */
const javaTargets = {
  '1KiB-awaited': { kafkajs: 1.1, platformatic: 1 },
  '20MiB-parts-zstd': { kafkajs: 5, platformatic: 2 },
} as const;

/** Most memory above the sealed snapshot at 20 MiB, in MB. */
const memoryTargets = { kafkajs: 110, platformatic: 64 + 3 * partMb } as const;

const stallTargetMs = 100;

/** Every figure that has a target and was measured. */
export function judge(lines: readonly Line[]): Figure[] {
  const line = (name: string, variant: Variant): Line | undefined =>
    lines.find((candidate) => candidate.case === name && candidate.variant === variant);
  const ratio = (name: string, ours: Variant, other: Variant, target: number): Figure[] => {
    const [mine, theirs] = [line(name, ours), line(name, other)];
    if (mine === undefined || theirs === undefined) return [];
    return [createFigure({ figure: `${name}: ${ours} ÷ ${other}`, value: mine.ms / theirs.ms, unit: '×', target })];
  };
  const figures: Figure[] = [];
  for (const client of clients) {
    for (const name of Object.keys(bareTargets) as (keyof typeof bareTargets)[])
      figures.push(...ratio(name, `ours-${client}`, `bare-${client}`, bareTargets[name]));
    figures.push(...ratio('1KiB-awaited', `ours-${client}`, `user-${client}`, userTarget));
    for (const name of Object.keys(javaTargets) as (keyof typeof javaTargets)[])
      figures.push(...ratio(name, `ours-${client}`, 'java', javaTargets[name][client]));
    const large = lines.filter(
      (candidate) => candidate.case.startsWith('20MiB') && candidate.variant === `ours-${client}`,
    );
    if (large.length === 0) continue;
    const worst = (read: (candidate: Line) => number | null): number =>
      Math.max(...large.map((candidate) => read(candidate) ?? 0));
    figures.push(
      createFigure({
        figure: `20MiB, worst compression: memory above the sealed snapshot, ours-${client}`,
        value: worst(({ rssMb }) => rssMb),
        unit: 'MB',
        target: memoryTargets[client],
      }),
      createFigure({
        figure: `20MiB, worst compression: longest event-loop stall, ours-${client}`,
        value: worst(({ stallMs }) => stallMs),
        unit: 'ms',
        target: stallTargetMs,
      }),
    );
  }
  return figures;
}
