import type { Compression } from './results.ts';

/** What is exported in one measurement. */
export interface BenchCase {
  readonly name: string;
  readonly compression: Compression;
  /** Inventories that are exported, each of about `snapshotBytes` of document. */
  readonly inventories: number;
  readonly snapshotBytes: number;
  /** One after another, each awaited; or all at once. */
  readonly order: 'awaited' | 'at-once';
  /** Most bytes of a message; a snapshot above it goes in parts. */
  readonly maxMessageBytes: number;
  /** `max.message.bytes` of the topic. */
  readonly topicBytes: number;
  /** Whether our sink sends the parts of a snapshot in a transaction; the others never do. */
  readonly transactional: boolean;
}

const partBytes = 900 * 1024;
/** What a broker takes unless it is told otherwise. */
const brokerDefault = 1_048_588;
const mebibyte = 1024 * 1024;

export const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const satisfies readonly Compression[];

export const cases: readonly BenchCase[] = [
  {
    name: '1KiB-awaited',
    compression: 'none',
    inventories: 300,
    snapshotBytes: 1024,
    order: 'awaited',
    maxMessageBytes: partBytes,
    topicBytes: brokerDefault,
    transactional: false,
  },
  {
    name: '1KiB-500-at-once',
    compression: 'none',
    inventories: 500,
    snapshotBytes: 1024,
    order: 'at-once',
    maxMessageBytes: partBytes,
    topicBytes: brokerDefault,
    transactional: false,
  },
  ...compressions.map((compression) => ({
    name: `1MiB-${compression}`,
    compression,
    inventories: 1,
    snapshotBytes: mebibyte,
    order: 'awaited' as const,
    maxMessageBytes: 2 * mebibyte,
    topicBytes: 2 * mebibyte,
    transactional: false,
  })),
  ...compressions.map((compression) => ({
    name: `20MiB-parts-${compression}`,
    compression,
    inventories: 1,
    snapshotBytes: 20 * mebibyte,
    order: 'awaited' as const,
    maxMessageBytes: partBytes,
    topicBytes: brokerDefault,
    transactional: false,
  })),
  ...[false, true].map((transactional) => ({
    name: transactional ? '10KiB-parts-transactional' : '10KiB-parts-awaited',
    compression: 'none' as const,
    inventories: 100,
    snapshotBytes: 10 * 1024,
    order: 'awaited' as const,
    maxMessageBytes: 5 * 1024,
    topicBytes: brokerDefault,
    transactional,
  })),
];

export function caseNamed(name: string): BenchCase {
  const found = cases.find((candidate) => candidate.name === name);
  if (found === undefined)
    throw new Error(`There is no case "${name}"; there are ${cases.map((known) => known.name).join(', ')}.`);
  return found;
}
