export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

export const nodeVariants = [
  'ours-kafkajs',
  'user-kafkajs',
  'bare-kafkajs',
  'ours-platformatic',
  'user-platformatic',
  'bare-platformatic',
] as const;
export type NodeVariant = (typeof nodeVariants)[number];
export type Variant = NodeVariant | 'java';

/** One measurement of one case. */
export interface Sample {
  readonly ms: number;
  /** Processor time of the client; null where it was not measured. */
  readonly cpuMs: number | null;
  /** Peak of the resident memory above what the process held with the snapshot sealed, in MB. */
  readonly rssMb: number | null;
  /** Longest time in which the event loop did nothing else. */
  readonly stallMs: number | null;
  /** Bytes that left through sockets. */
  readonly wireBytes: number | null;
}

/** The medians of one variant in one case; of `stallMs` and `rssMb` the largest. */
export interface Line extends Sample {
  readonly bench: 'kafka';
  readonly case: string;
  readonly variant: Variant;
  /** Of one round: how much the figure is worth. */
  readonly minMs: number;
  readonly maxMs: number;
}

export type Verdict = 'pass' | 'miss';

/** A figure with a target. */
export interface Figure {
  readonly bench: 'kafka';
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  readonly target: number;
  readonly verdict: Verdict;
}

/** A figure with the verdict that its target gives. */
export function createFigure(figure: Omit<Figure, 'bench' | 'verdict'>): Figure {
  return { bench: 'kafka', ...figure, verdict: figure.value <= figure.target ? 'pass' : 'miss' };
}
