import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { createSelfSigned } from './self-signed.ts';

/** A server on 127.0.0.1 that counts who comes and serves nobody. */
export interface Listener {
  readonly host: string;
  readonly port: number;
  /** Connections so far. */
  readonly accepted: number;
  close(): Promise<void>;
}

/** Takes connections in and ends them: where something must not be dialled. */
export function startTrap(): Promise<Listener> {
  return listen((onSocket) => createServer(onSocket));
}

/** Speaks TLS from the first byte, with a certificate that nobody signed. */
export function startUntrustedServer(): Promise<Listener> {
  return listen((onSocket) => createTlsServer({ ...createSelfSigned() }, onSocket));
}

async function listen(create: (onSocket: (socket: Socket) => void) => Server): Promise<Listener> {
  let accepted = 0;
  const open = new Set<Socket>();
  const server = create((socket) => socket.end());
  server.on('connection', (socket: Socket) => {
    accepted += 1;
    open.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => open.delete(socket));
  });
  server.on('tlsClientError', () => undefined);
  const host = '127.0.0.1';
  server.listen(0, host);
  await once(server, 'listening');
  return {
    host,
    port: (server.address() as AddressInfo).port,
    get accepted() {
      return accepted;
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
