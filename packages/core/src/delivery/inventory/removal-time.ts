export interface RemovalTimeOptions {
  /** As the host gave it, in milliseconds. */
  readonly removedAt: number;
  /** `exportedAt` of the newest snapshot that this exporter was given for the inventory. */
  readonly newestExport: number;
  readonly now: number;
}

/**
 * The time that fences a removal. Kubernetes writes times in whole seconds, always cut and never rounded: a removal at such a time is one at
 * the end of that second, and it comes after every snapshot that this exporter was given before. A time with milliseconds is taken as it is.
 */
export function removalTime({ removedAt, newestExport, now }: RemovalTimeOptions): number {
  if (removedAt % 1000 !== 0) return removedAt;
  // What is exported from now on is newer than the removal.
  const endOfSecond = Math.min(removedAt + 999, Math.floor(now) - 1);
  return Math.max(removedAt, endOfSecond, newestExport + 1);
}
