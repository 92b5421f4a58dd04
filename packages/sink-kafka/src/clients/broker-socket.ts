import { isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, createSecureContext, type ConnectionOptions } from 'node:tls';
import type { Egress, TlsMaterial } from '@kollect/core';

const keepAliveDelayMs = 10_000;

export interface BrokerSocketOptions {
  readonly host: string;
  readonly port: number;
  readonly egress: Egress;
  /** What `brokerTls` made; absent: not encrypted. */
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

/** How a broker of this name is greeted and checked. Throws where the material cannot be read, before any socket is made. */
export function brokerTls(name: string, { ca, cert, key }: TlsMaterial): ConnectionOptions {
  return {
    secureContext: createSecureContext({
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    }),
    ...(isIP(name) === 0 ? { servername: name } : {}),
    rejectUnauthorized: true,
    // By our own name: Node checks an IP address as "localhost" on a given socket.
    checkServerIdentity: (_name, certificate) => checkServerIdentity(name, certificate),
  };
}
