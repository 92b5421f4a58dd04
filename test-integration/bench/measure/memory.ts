import { readFileSync, writeFileSync } from 'node:fs';
import { collectGarbage } from './time.ts';

/** Bytes of resident memory that the process reached within the work, above what it held before. */
export async function peakMemoryAbove(work: () => Promise<unknown>): Promise<number> {
  collectGarbage();
  const before = process.memoryUsage.rss();
  const peak = canReadPeak() ? await kernelPeak(work) : await sampledPeak(work);
  return Math.max(0, peak - before);
}

/** Linux remembers the peak and forgets it when asked to: no sampling can be as exact. */
function canReadPeak(): boolean {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return readPeak() > 0;
  } catch {
    return false;
  }
}

function readPeak(): number {
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return Number(kibibytes ?? 0) * 1024;
}

async function kernelPeak(work: () => Promise<unknown>): Promise<number> {
  await work();
  return readPeak();
}

/** Elsewhere: looked at every 2 ms, so that a shorter peak is missed. */
async function sampledPeak(work: () => Promise<unknown>): Promise<number> {
  let peak = 0;
  const look = (): void => {
    peak = Math.max(peak, process.memoryUsage.rss());
  };
  const timer = setInterval(look, 2);
  try {
    await work();
    look();
  } finally {
    clearInterval(timer);
  }
  return peak;
}
