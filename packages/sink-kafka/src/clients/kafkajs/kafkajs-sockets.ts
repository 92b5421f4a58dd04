import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';
import type { Egress } from '@kollect/core';
import { openBrokerSocket } from '../broker-socket.ts';

/** The sockets of one client, which kafkajs does not let go of by itself. */
export interface ClientSockets {
  /** How kafkajs makes one. */
  readonly make: ISocketFactory;
  /** Has the one that is made next greet so, or not encrypt. */
  useTls(options: ConnectionOptions | undefined): void;
  /** Tells, now or later, how the one that was made last ended. */
  failureOfNewest(): () => Error | undefined;
  /** Destroys those to the broker, named by host and port as kafkajs does. */
  drop(broker: string, reason: Error): void;
  /** Resolves when what was written before has left this process, or cannot any more. */
  flush(): Promise<void>;
  /** Destroys all; resolves when they are gone. */
  destroy(reason: Error): Promise<void>;
}

export function createSockets(egress: Egress): ClientSockets {
  const sockets = new Map<Socket, string>();
  let tls: ConnectionOptions | undefined;
  let failureOfNewest: () => Error | undefined = () => undefined;
  return {
    make: ({ host, port, onConnect }) => {
      const socket = openBrokerSocket({ host, port, egress, tls, onConnect });
      let failure: Error | undefined;
      failureOfNewest = () => failure;
      socket.once('error', (error) => (failure = error));
      sockets.set(socket, `${host}:${port}`);
      socket.once('close', () => sockets.delete(socket));
      return socket;
    },
    useTls: (options) => (tls = options),
    failureOfNewest: () => failureOfNewest,
    drop(broker, reason) {
      for (const [socket, name] of sockets) if (name === broker) socket.destroy(reason);
    },
    async flush() {
      await Promise.all([...sockets.keys()].map(flushed));
    },
    async destroy(reason) {
      const open = [...sockets.keys()];
      await Promise.all(open.map((socket) => new Promise((resolve) => socket.once('close', resolve).destroy(reason))));
    },
  };
}

function flushed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.writableLength === 0 || socket.destroyed) resolve();
    else socket.write('', () => resolve());
  });
}
