import { parseServerAddress, type ServerAddress } from '@kollect/core/authoring';
import type { TopicDescription } from '../kafka-client.ts';

/** The brokers of a spec that was checked. */
export function brokerAddresses(brokers: readonly string[]): readonly ServerAddress[] {
  return brokers.flatMap((broker) => parseServerAddress(broker).value ?? []);
}

const shownBrokers = 3;

/** The addresses for a message, the first few of them. */
export function describeBrokers(brokers: readonly string[]): string {
  return `${brokers.slice(0, shownBrokers).join(', ')}${brokers.length > shownBrokers ? ', …' : ''}`;
}

/** Of the brokers of the cluster, those that lead a partition. */
export function leadersAmong(
  brokers: readonly (ServerAddress & { readonly nodeId: number })[],
  partitions: TopicDescription['partitions'],
): readonly ServerAddress[] {
  return brokers
    .filter(({ nodeId }) => partitions.some(({ leader }) => leader === nodeId))
    .map(({ host, port }) => ({ host, port }));
}
