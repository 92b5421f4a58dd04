export interface Figure {
  readonly bench: 'nats';
  readonly figure: string;
  /** Medians, in milliseconds. */
  readonly ours: number;
  readonly bare: number;
  readonly ratio: number;
  /** The most that the ratio may be. */
  readonly target: number;
  readonly verdict: 'pass' | 'miss';
  /** Longest time in which the event loop did nothing else while ours ran, in milliseconds. */
  readonly stallMs: number;
}

export function createFigure(
  figure: string,
  { ours, bare, target, stallMs }: Pick<Figure, 'ours' | 'bare' | 'target' | 'stallMs'>,
): Figure {
  const ratio = ours / bare;
  return { bench: 'nats', figure, ours, bare, ratio, target, verdict: ratio <= target ? 'pass' : 'miss', stallMs };
}
