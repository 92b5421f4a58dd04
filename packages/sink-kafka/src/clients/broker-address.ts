import { isIP } from 'node:net';
import type { TopicDescription } from '../kafka-client.ts';

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** Host and port of `host:port` or `[address]:port`; undefined where the text is neither. */
export function parseBroker(text: string): BrokerAddress | undefined {
  const [, address, name, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([\p{L}\p{N}._-]+)):(\d{1,5})$/u.exec(text) ?? [];
  const port = Number(digits);
  if (!(port >= 1 && port <= 65_535)) return undefined;
  if (address !== undefined) return isIP(address) === 6 ? { host: address, port } : undefined;
  return name === undefined ? undefined : { host: name, port };
}

const shownBrokers = 3;

/** The addresses for a message, the first few of them. */
export function describeBrokers(brokers: readonly string[]): string {
  return `${brokers.slice(0, shownBrokers).join(', ')}${brokers.length > shownBrokers ? ', …' : ''}`;
}

/** Of the brokers of the cluster, those that lead a partition. */
export function leadersAmong(
  brokers: readonly (BrokerAddress & { readonly nodeId: number })[],
  partitions: TopicDescription['partitions'],
): readonly BrokerAddress[] {
  return brokers
    .filter(({ nodeId }) => partitions.some(({ leader }) => leader === nodeId))
    .map(({ host, port }) => ({ host, port }));
}
