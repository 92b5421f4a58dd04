import { createBareKafkajs } from './bare-kafkajs.ts';
import { createBarePlatformatic } from './bare-platformatic.ts';
import { bareContender, type Contender, type ContenderOptions } from './contender.ts';
import { createOurs } from './ours.ts';
import type { NodeVariant } from './results.ts';
import { userContender } from './user.ts';

export const contenders: Readonly<Record<NodeVariant, (options: ContenderOptions) => Promise<Contender>>> = {
  'ours-kafkajs': (options) => createOurs('kafkajs', options),
  'ours-platformatic': (options) => createOurs('platformatic', options),
  'user-kafkajs': async (options) => userContender(await createBareKafkajs(options), options.benchCase),
  'user-platformatic': async (options) => userContender(await createBarePlatformatic(options), options.benchCase),
  'bare-kafkajs': async (options) => bareContender(await createBareKafkajs(options), options.benchCase),
  'bare-platformatic': async (options) => bareContender(await createBarePlatformatic(options), options.benchCase),
};
