import { startFaultProxy as startProxy, type FaultProxy, type FaultProxyOptions } from '@kollect/sink-testkit';
import { freePort } from './ports.ts';

export type { ByteTrigger, Direction, FaultProxy, FaultProxyOptions, Side } from '@kollect/sink-testkit';

/** The proxy of the testkit, on a port that no other process of the tests was given. */
export async function startFaultProxy({ target }: Pick<FaultProxyOptions, 'target'>): Promise<FaultProxy> {
  return startProxy({ target, port: await freePort() });
}
