import { createBareKafkajs } from './bare-kafkajs.ts';
import { createBarePlatformatic } from './bare-platformatic.ts';
import { bareContender, type Contender, type ContenderOptions } from './contender.ts';
import { createOurs } from './ours.ts';
import type { NodeVariant } from './results.ts';

export const contenders: Readonly<Record<NodeVariant, (options: ContenderOptions) => Promise<Contender>>> = {
  'ours-kafkajs': (options) => createOurs('kafkajs', options),
  'ours-platformatic': (options) => createOurs('platformatic', options),
  'bare-kafkajs': async (options) => bareContender(await createBareKafkajs(options), options.benchCase),
  'bare-platformatic': async (options) => bareContender(await createBarePlatformatic(options), options.benchCase),
};
