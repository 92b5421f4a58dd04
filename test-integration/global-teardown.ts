import { stopSharedKafka } from './servers/shared-kafka.ts';
import { stopSharedNats } from './servers/shared-nats.ts';
import { stopSharedPostgres } from './servers/shared-postgres.ts';

/** jest asks for a default export here; it is loaded by the process that loaded global-setup.ts, so both see the same servers. */
export default async function stopServers(): Promise<void> {
  await Promise.all([stopSharedPostgres(), stopSharedKafka(), stopSharedNats()]);
}
