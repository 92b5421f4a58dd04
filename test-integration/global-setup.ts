import { startSharedKafka } from './servers/shared-kafka.ts';
import { startSharedPostgres } from './servers/shared-postgres.ts';

/** Starts both servers at once; where one cannot start, the watchdog ends the other. jest asks for a default export here. */
export default async function startServers(): Promise<void> {
  await Promise.all([startSharedPostgres(), startSharedKafka()]);
}
