// Meets a server that refuses TLS and then ends by itself, or hangs where a socket was left in a state that Node cannot clean up.
import { createSinkRegistry } from '@kollect/core';
import { postgresSink } from '@kollect/sink-postgres';

const sink = createSinkRegistry([postgresSink]).create(
  { type: 'postgres', postgres: { database: 'inventory', table: 'inventory' } },
  { credentials: { username: 'kollect', host: '127.0.0.1', port: process.argv[2] ?? '' } },
);
const signal = AbortSignal.timeout(10_000);
await sink.testConnection({ signal });
await sink.open?.({ signal }).catch((error: unknown) => process.send?.((error as { code: string }).code));
await sink.close();
process.disconnect();
