import { setTimeout as sleep } from 'node:timers/promises';
import type { Backend } from './backend.ts';

const slowMs = 400;

/** What happens to a store; each lasts for the given time, and resolves when the store is well again. */
export const faults = {
  /** The server dies, and nobody answers at its address until it is back. */
  async kill({ proxy, kill }: Backend, ms: number) {
    await proxy.refuse();
    proxy.reset();
    await Promise.all([kill(), sleep(ms)]);
    await proxy.accept();
  },
  /** The server is there and hears nothing. */
  async 'black-hole'({ proxy }: Backend, ms: number) {
    proxy.blackhole();
    await sleep(ms);
    proxy.heal();
  },
  /** Every answer is late. */
  async slow({ proxy }: Backend, ms: number) {
    proxy.delay(slowMs);
    await sleep(ms);
    proxy.delay(0);
  },
} as const;

export type FaultName = keyof typeof faults;
export const faultNames = Object.keys(faults) as readonly FaultName[];
