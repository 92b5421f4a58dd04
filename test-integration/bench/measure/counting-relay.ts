import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface CountingRelay {
  readonly port: number;
  /** Bytes that clients have sent so far. */
  sentBytes(): number;
  close(): Promise<void>;
}

/** Relays TCP on a port of its own to a server and counts what clients send: the only count that needs nothing of the client. */
export async function createCountingRelay(server: { host: string; port: number }): Promise<CountingRelay> {
  const open = new Set<Socket>();
  let sent = 0;
  const relay = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ ...server, noDelay: true });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        open.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
    client.on('data', (chunk: Buffer) => {
      sent += chunk.length;
    });
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  return {
    port: (relay.address() as AddressInfo).port,
    sentBytes: () => sent,
    async close() {
      for (const socket of open) socket.destroy();
      relay.close();
      await once(relay, 'close');
    },
  };
}
