export type Verdict = 'pass' | 'miss';

export interface Figure {
  readonly bench: 'delivery';
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  /** The most it may be; null where there is no target. */
  readonly target: number | null;
  readonly verdict: Verdict | null;
}

/** A figure with the verdict that its target gives. */
export function createFigure({
  target = null,
  ...figure
}: Omit<Figure, 'bench' | 'target' | 'verdict'> & { readonly target?: number | null }): Figure {
  const verdict = target === null ? null : figure.value <= target ? 'pass' : 'miss';
  return { bench: 'delivery', ...figure, target, verdict };
}
