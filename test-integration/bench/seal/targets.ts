import { createFigure, type Figure, type HeldMemory, type Line, type Variant } from './results.ts';

/** Items from which on the cost of an inventory is meant to follow what changed. */
const targetsFrom = 100_000;

/** Most that sealing anew may take, as a multiple of JSON.stringify and SHA-256, whatever the number of items. */
const anewTarget = 2;

/** Most that setting and sealing 1 % may take, as a multiple of sealing anew, and of SHA-256 over the same bytes. */
const changedTargets = { anew: 0.1, hash: 2 } as const;

/** Most CPU of a cycle in which nothing changed, as a multiple of that of sealing anew. */
const unchangedCpuTarget = 0.05;

/** Most memory that an inventory and its last snapshot hold: a multiple of the bytes, and bytes an item. */
const memoryTarget = { ofJson: 1.25, ofItem: 300 } as const;

/** Every figure that has a target and was measured. */
export function judge(lines: readonly Line[], held: readonly HeldMemory[]): Figure[] {
  const sizes = [...new Set(lines.map(({ n }) => n))];
  return [...sizes.flatMap((n) => judgeSize(n, lines)), ...held.map(judgeMemory)];
}

function judgeSize(n: number, lines: readonly Line[]): Figure[] {
  const find = (changedPercent: number, variant: Variant): Line | undefined =>
    lines.find((line) => line.n === n && line.changedPercent === changedPercent && line.variant === variant);
  const ratio = (
    figure: string,
    [mine, other]: readonly [Line | undefined, Line | undefined],
    target: number,
    read = ({ ms }: Line): number => ms,
  ): Figure[] => {
    if (mine === undefined || other === undefined) return [];
    return [createFigure({ n, figure, value: read(mine) / read(other), unit: '×', target })];
  };
  const anew = ratio(
    'sealing anew ÷ (JSON.stringify and SHA-256)',
    [find(100, 'anew'), find(100, 'plain')],
    anewTarget,
  );
  if (n < targetsFrom) return anew;
  return [
    ...anew,
    ...ratio('1 % changed: inventory ÷ sealing anew', [find(1, 'inventory'), find(1, 'anew')], changedTargets.anew),
    ...ratio(
      '1 % changed: inventory ÷ SHA-256 of the same bytes',
      [find(1, 'inventory'), find(1, 'hash')],
      changedTargets.hash,
    ),
    ...ratio(
      'nothing changed: CPU of the inventory ÷ sealing anew',
      [find(0, 'inventory'), find(0, 'anew')],
      unchangedCpuTarget,
      ({ cpuMs }) => cpuMs,
    ),
  ];
}

function judgeMemory({ n, heldBytes, jsonBytes }: HeldMemory): Figure {
  return createFigure({
    n,
    figure: 'memory of the inventory and its last snapshot',
    value: heldBytes / 1e6,
    unit: 'MB',
    target: (jsonBytes * memoryTarget.ofJson + n * memoryTarget.ofItem) / 1e6,
  });
}
