import { once } from 'node:events';
import { isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Egress } from '@kollect/core';
import type { ConnectionParameters } from '../postgres-login.ts';

export interface CancelRequest {
  readonly egress: Egress;
  readonly parameters: ConnectionParameters;
  readonly processId: number;
  readonly secretKey: number;
}

const sslRequestCode = 80_877_103;
const cancelRequestCode = 80_877_102;

/** A cancel that takes longer than this helps nobody: the caller resets the socket then. */
const limitMs = 500;

/**
 * Sends PostgreSQL's CancelRequest on a connection of its own, encrypted where the session is. Never rejects.
 * `Client.cancel` of `pg` cannot be used: it dials past the egress policy, and over TLS it never sends the request.
 */
export async function sendCancelRequest(request: CancelRequest): Promise<void> {
  const { host, port } = request.parameters;
  const signal = AbortSignal.timeout(limitMs);
  let socket: Socket | undefined;
  let channel: Socket | undefined;
  try {
    socket = await request.egress.dial({ host, port, signal, timeoutMs: limitMs });
    socket.on('error', () => undefined);
    channel = await encryptLikeSession(socket, request.parameters, signal);
    channel.on('error', () => undefined);
    channel.resume();
    channel.write(message(cancelRequestCode, request.processId, request.secretKey));
    // The server closes the connection once it has passed the request on.
    await once(channel, 'close', { signal });
  } catch {
    // The caller resets its socket next, which ends the session wherever the server can still be reached.
  } finally {
    // From above, for TLS closes what is below it.
    channel?.destroy();
    socket?.destroy();
  }
}

async function encryptLikeSession(
  socket: Socket,
  { host, ssl }: ConnectionParameters,
  signal: AbortSignal,
): Promise<Socket> {
  if (ssl === false) return socket;
  socket.write(message(sslRequestCode));
  const [answer] = (await once(socket, 'data', { signal })) as [Buffer];
  if (answer.toString('latin1') !== 'S') throw new Error('The server refused TLS.');
  // A pooler may choose the server by the name; an IP address is none.
  const channel = connectTls({ host, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl, socket });
  await once(channel, 'secureConnect', { signal });
  return channel;
}

function message(...words: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 + 4 * words.length);
  bytes.writeUInt32BE(bytes.length, 0);
  for (const [index, word] of words.entries()) bytes.writeInt32BE(word | 0, 4 + 4 * index);
  return bytes;
}
