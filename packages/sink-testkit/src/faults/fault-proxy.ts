import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLink, resetSocket, type Conditions, type Direction, type Link, type Trigger } from './fault-link.ts';

/** Where the proxy leads to. */
export interface FaultProxyOptions {
  readonly target: { readonly host: string; readonly port: number };
  /** Where to listen on 127.0.0.1. Default: a port that the system picks, which another process may take while the proxy refuses. */
  readonly port?: number;
}

/** Which end of the connections is closed; the other stays open and hears nothing. */
export type Side = 'client' | 'server' | 'both';

/** A fault at an exact byte: `after` bytes in the direction pass, then it happens. */
export interface ByteTrigger {
  readonly direction: Direction;
  /** Bytes forwarded on one connection, counted from now; 1 or more. */
  readonly after: number;
  readonly fault: 'cut' | 'reset' | 'blackhole';
}

/** A TCP proxy on 127.0.0.1 that disturbs what passes through it when told to. */
export interface FaultProxy {
  readonly host: string;
  readonly port: number;
  /** Open connections. */
  readonly connections: number;
  /** Connections that were taken in since the start. */
  readonly accepted: number;
  /** Bytes forwarded over all connections since the start. */
  readonly forwarded: Readonly<Record<Direction, number>>;
  /** Passes bytes on this many milliseconds after they arrived; 0 ends it. */
  delay(ms: number): void;
  /** Passes on at most this many bytes a second, on each connection and direction; Infinity ends it. */
  throttle(bytesPerSecond: number): void;
  /** Closes the open connections in order (FIN). */
  cut(side?: Side): void;
  /** Resets the open connections (RST). */
  reset(side?: Side): void;
  /** Accepts and passes on nothing, no close either, as when a cable is pulled; without a direction, both. */
  blackhole(direction?: Direction): void;
  /** Ends `blackhole`: what was held back is delivered, as TCP does when the cable is back. */
  heal(): void;
  /** Does the fault to the first connection on which the bytes pass, once; the promise resolves when it has happened. */
  onBytes(trigger: ByteTrigger): Promise<void>;
  /** New connections are refused until `accept`; open ones stay. */
  refuse(): Promise<void>;
  accept(): Promise<void>;
  /** Ends every connection and the proxy. */
  close(): Promise<void>;
}

const BOTH: readonly Direction[] = ['toServer', 'toClient'];
const TAKEN_FOR_MS = 10_000;

/** Starts a proxy that leads to the target and disturbs nothing yet. */
export async function startFaultProxy({ target, port: wanted = 0 }: FaultProxyOptions): Promise<FaultProxy> {
  const host = '127.0.0.1';
  let port = wanted;
  let accepted = 0;
  const conditions: Conditions = { delayMs: 0, bytesPerSecond: undefined };
  const links = new Set<Link>();
  const black = new Set<Direction>();
  const armed = new Set<Trigger>();
  const past: Record<Direction, number> = { toServer: 0, toClient: 0 };

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    accepted += 1;
    const upstream = connect({ ...target, allowHalfOpen: true, noDelay: true });
    const link = createLink(client, upstream, conditions);
    links.add(link);
    for (const direction of black) link.hold(direction);
    for (const trigger of armed) arm(link, trigger);
    const closed = (): void => {
      if (!client.destroyed || !upstream.destroyed || !links.delete(link)) return;
      link.stopForwarding();
      for (const direction of BOTH) past[direction] += link.forwarded[direction];
    };
    client.on('close', closed);
    upstream.on('close', closed);
  });

  const listen = async (): Promise<void> => {
    // Right after `refuse` the port may still be taken for a moment.
    for (const end = Date.now() + TAKEN_FOR_MS; ; await sleep(50)) {
      try {
        server.listen(port, host);
        await once(server, 'listening');
        port = (server.address() as AddressInfo).port;
        return;
      } catch (error) {
        if (Date.now() > end) throw error;
      }
    }
  };

  function arm(link: Link, trigger: Trigger): void {
    // Each connection counts for itself; the first to get there disarms the others.
    const own: Trigger = {
      ...trigger,
      fire: () => {
        armed.delete(trigger);
        for (const other of links)
          for (const waiting of other.triggers) if (waiting.source === trigger) other.triggers.delete(waiting);
        trigger.fire(link);
      },
      source: trigger,
    };
    link.triggers.add(own);
  }

  await listen();
  return {
    host,
    port,
    get connections() {
      return links.size;
    },
    get accepted() {
      return accepted;
    },
    get forwarded() {
      const total = { ...past };
      for (const link of links) for (const direction of BOTH) total[direction] += link.forwarded[direction];
      return total;
    },
    delay(ms) {
      conditions.delayMs = ms;
      for (const link of links) link.wake();
    },
    throttle(bytesPerSecond) {
      conditions.bytesPerSecond = Number.isFinite(bytesPerSecond) ? bytesPerSecond : undefined;
      for (const link of links) link.wake();
    },
    cut: (side) => [...links].forEach((link) => cutLink(link, side)),
    reset: (side) => [...links].forEach((link) => resetLink(link, side)),
    blackhole(direction) {
      for (const way of direction ? [direction] : BOTH) {
        black.add(way);
        for (const link of links) link.hold(way);
      }
    },
    heal() {
      black.clear();
      for (const link of links) for (const direction of BOTH) link.release(direction);
    },
    onBytes({ direction, after, fault }) {
      return new Promise((resolve) => {
        const fire = (link: Link): void => {
          if (fault === 'cut') cutLink(link);
          else if (fault === 'reset') resetLink(link);
          else for (const way of BOTH) link.hold(way);
          resolve();
        };
        const trigger: Trigger = { direction, remaining: after, fire };
        armed.add(trigger);
        for (const link of links) arm(link, trigger);
      });
    },
    async refuse() {
      if (!server.listening) return;
      // `close` calls back after the last connection; it stops listening at once.
      server.close();
    },
    async accept() {
      if (!server.listening) await listen();
    },
    async close() {
      const closed = server.listening ? once(server, 'close') : undefined;
      server.close();
      for (const { sockets } of links) for (const socket of Object.values(sockets)) socket.destroy();
      await closed;
    },
  };
}

function socketsOf(link: Link, side: Side): Socket[] {
  const { client, server } = link.sockets;
  return { client: [client], server: [server], both: [client, server] }[side];
}

function cutLink(link: Link, side: Side = 'both'): void {
  link.stopForwarding();
  for (const socket of socketsOf(link, side)) socket.end();
}

function resetLink(link: Link, side: Side = 'both'): void {
  link.stopForwarding();
  for (const socket of socketsOf(link, side)) resetSocket(socket);
}
