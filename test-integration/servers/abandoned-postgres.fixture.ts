// Starts a server, says where, and waits for its end: watchdog.test.ts kills it. With the argument "keep" it ends by itself.
import { startPostgres } from './index.ts';

const keep = process.argv[2] === 'keep';
const { kind, version, host, port, superuser, database, stopCommand } = await startPostgres({ keep });
process.stdout.write(`${JSON.stringify({ kind, version, host, port, superuser, database, stopCommand })}\n`);
if (!keep) setInterval(() => undefined, 60_000);
