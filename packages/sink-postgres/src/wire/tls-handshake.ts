import type { Socket } from 'node:net';
import type { OperationScope } from '@kollect/core/authoring';

/** PostgreSQL's SSLRequest: its length and its code. */
const sslRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

/** Asks the server for TLS on a connected socket, as a client of `pg` would. Rejects with what `pg` would say. */
export async function askForTls(socket: Socket, scope: OperationScope): Promise<void> {
  socket.write(sslRequest);
  const answer = await scope.unlessEnded(firstByte(socket));
  if (answer === 'N') throw new Error('The server does not support SSL connections');
  if (answer !== 'S') throw new Error('There was an error establishing an SSL connection');
}

function firstByte(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once('data', (bytes) => resolve(bytes.toString('latin1')));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('Connection terminated unexpectedly')));
  });
}
