/** COLD: an empty scope. WARM: the same content again, sealed anew. DELTA: 1 % changed, 0.5 % gone, 0.5 % new. EMPTIED: nothing is left. */
export type State = 'COLD' | 'WARM' | 'DELTA' | 'EMPTIED';
export const states = ['COLD', 'WARM', 'DELTA', 'EMPTIED'] as const satisfies readonly State[];

/** One measured way to bring a table into one state. */
export interface Line {
  readonly bench: 'postgres';
  readonly n: number;
  readonly state: State;
  readonly variant: string;
  /** Median of the rounds. */
  readonly ms: number;
  readonly walBytes: number;
  /** What the client sent; null where it was not measured. */
  readonly sentBytes: number | null;
  /** Peak of the client's resident memory above the loaded items, in MB; null where it was not measured. */
  readonly rssMb: number | null;
}

export type Verdict = 'pass' | 'miss';

/** A figure that is no way to write a table. */
export interface Figure {
  readonly bench: 'postgres';
  readonly n: number;
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
  return { bench: 'postgres', ...figure, target, verdict };
}

export interface Recorder {
  /** Adds one measurement of a state. */
  add(state: State, variant: string, sample: { readonly ms: number; readonly walBytes: number }): void;
  samples(state: State, variant: string): readonly { readonly ms: number; readonly walBytes: number }[];
  /** What was recorded, in the order it came in first. */
  keys(): readonly { readonly state: State; readonly variant: string }[];
}

/** Collects the measurements of one size. */
export function createRecorder(): Recorder {
  const byKey = new Map<string, { state: State; variant: string; samples: { ms: number; walBytes: number }[] }>();
  return {
    add(state, variant, sample) {
      const key = `${state} ${variant}`;
      const entry = byKey.get(key) ?? { state, variant, samples: [] };
      entry.samples.push(sample);
      byKey.set(key, entry);
    },
    samples: (state, variant) => byKey.get(`${state} ${variant}`)?.samples ?? [],
    keys: () => [...byKey.values()],
  };
}
