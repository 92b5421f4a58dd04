/** `plain` and `hash` are what it is compared with; `anew` is sealSnapshot, `inventory` the changed items set and the inventory sealed. */
export type Variant = 'plain' | 'hash' | 'anew' | 'inventory';
export const variants = ['plain', 'hash', 'anew', 'inventory'] as const satisfies readonly Variant[];

/** Percent of the items that change from one sealing to the next. */
export const shares = [0, 1, 10, 100] as const;

export interface Line {
  readonly bench: 'seal';
  readonly n: number;
  readonly changedPercent: number;
  readonly variant: Variant;
  /** Median of the rounds. */
  readonly ms: number;
  /** CPU of the process meanwhile, its collector included; median too. */
  readonly cpuMs: number;
}

/** Memory that an inventory and its last snapshot hold beside the items they were made of. */
export interface HeldMemory {
  readonly n: number;
  readonly heldBytes: number;
  /** Of the canonical `items` array. */
  readonly jsonBytes: number;
}

export type Verdict = 'pass' | 'miss';

export interface Figure {
  readonly bench: 'seal';
  readonly n: number;
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  /** The most it may be. */
  readonly target: number;
  readonly verdict: Verdict;
}

/** A figure with the verdict that its target gives. */
export function createFigure(figure: Omit<Figure, 'bench' | 'verdict'>): Figure {
  return { bench: 'seal', ...figure, verdict: figure.value <= figure.target ? 'pass' : 'miss' };
}
