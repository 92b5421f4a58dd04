import { startSharedKafka } from './servers/shared-kafka.ts';
import { startSharedNats } from './servers/shared-nats.ts';
import { startSharedPostgres } from './servers/shared-postgres.ts';

/** Starts all servers at once; where one cannot start, the watchdog ends the others. jest asks for a default export here. */
export default async function startServers(): Promise<void> {
  await Promise.all([startSharedPostgres(), startSharedKafka(), startSharedNats()]);
}
