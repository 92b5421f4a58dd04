// Starts a server, says how to end it, and waits for its end: kafka-cluster.test.ts kills it.
import { startKafka } from './index.ts';

const { kind, bootstrap, stopCommand } = await startKafka();
process.stdout.write(`${JSON.stringify({ kind, bootstrap, stopCommand })}\n`);
setInterval(() => undefined, 60_000);
