import type { Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { Egress } from '@kollect/core';

const keepAliveDelayMs = 10_000;

export interface BrokerSocketOptions {
  readonly host: string;
  readonly port: number;
  readonly egress: Egress;
  /** How it is greeted and checked; absent: not encrypted. */
  readonly tls?: ConnectionOptions | undefined;
  /** Called once bytes may be sent. */
  readonly onConnect: () => void;
}

/** A socket on its way to a broker, past the egress policy, TLS above it where it is given; a failure arrives as its `error`. */
export function openBrokerSocket({ host, port, egress, tls, onConnect }: BrokerSocketOptions): Socket {
  const socket = egress.socket();
  socket.setNoDelay(true);
  socket.setKeepAlive(true, keepAliveDelayMs);
  if (tls === undefined) return socket.connect({ host, port }, onConnect);
  socket.connect({ host, port });
  const channel = connectTls({ ...tls, socket }, onConnect);
  socket.on('error', (error) => channel.destroy(error));
  socket.once('close', () => channel.destroy());
  channel.once('close', () => socket.destroy());
  return channel;
}
