// Starts a server, freezes it, says how to end it, and waits for its end: kafka.test.ts kills it.
import { startKafka } from './index.ts';

const { kind, freeze, stopCommand } = await startKafka();
// What is frozen ends for no reason of its own, such as a directory that is gone.
await freeze();
process.stdout.write(`${JSON.stringify({ kind, stopCommand })}\n`);
setInterval(() => undefined, 60_000);
