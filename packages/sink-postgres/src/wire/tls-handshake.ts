import { once } from 'node:events';
import { isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { ConnectionParameters } from '../postgres-login.ts';

/** PostgreSQL's SSLRequest: its length and its code. */
const sslRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

/** Asks the server for TLS on a connected socket and shakes hands, as a client of `pg` would. Rejects with what `pg` or Node would say. */
export async function startTls(
  socket: Socket,
  { host, ssl }: Pick<ConnectionParameters, 'host' | 'ssl'>,
  signal: AbortSignal,
): Promise<TLSSocket> {
  socket.write(sslRequest);
  const answer = await firstByte(socket, signal);
  if (answer === 'N') throw new Error('The server does not support SSL connections');
  if (answer !== 'S') throw new Error('There was an error establishing an SSL connection');
  // A pooler may choose the database by the server name; an IP address is none.
  const channel = connectTls({
    host,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(ssl === false ? {} : ssl),
    socket,
  });
  try {
    await once(channel, 'secureConnect', { signal });
  } catch (error) {
    channel.on('error', () => undefined);
    channel.destroy();
    throw error;
  }
  return channel;
}

async function firstByte(socket: Socket, signal: AbortSignal): Promise<string> {
  const over = new AbortController();
  const limits = { signal: AbortSignal.any([signal, over.signal]) };
  try {
    const data = once(socket, 'data', limits).then(([bytes]: unknown[]) =>
      Buffer.isBuffer(bytes) ? bytes.toString('latin1') : '',
    );
    const closed = once(socket, 'close', limits).then(() => {
      throw new Error('Connection terminated unexpectedly');
    });
    closed.catch(() => undefined);
    data.catch(() => undefined);
    return await Promise.race([data, closed]);
  } finally {
    over.abort();
  }
}
