import type { Socket } from 'node:net';
import { createEgressPolicy, type Egress } from '@kollect/core';

/** An egress policy that knows what went through it. */
export interface WatchedEgress {
  readonly egress: Egress;
  /** True for a socket that the policy made, or that it is connecting at the moment. */
  owns(socket: Socket): boolean;
  /** True for an IP address that the policy let through a check or a lookup. */
  passed(address: string): boolean;
}

export interface WatchedEgressOptions {
  /** Forbids every address. Default false. */
  readonly deny?: boolean;
}

export function createWatchedEgress({ deny = false }: WatchedEgressOptions = {}): WatchedEgress {
  const sockets = new WeakSet<Socket>();
  const addresses = new Set<string>();
  let dialling = false;

  const watched = (inner: Egress): Egress => ({
    // The socket is made and told where to connect before `dial` returns.
    dial: (options) => {
      dialling = true;
      try {
        return inner.dial(options);
      } finally {
        dialling = false;
      }
    },
    socket: () => {
      const socket = inner.socket();
      sockets.add(socket);
      return socket;
    },
    lookup: (hostname, options, callback) =>
      inner.lookup(hostname, options, (error, found, family) => {
        if (error === null)
          for (const each of typeof found === 'string' ? [found] : found.map(({ address }) => address))
            addresses.add(each);
        callback(error, found, family);
      }),
    check: (address, host) => {
      inner.check(address, host);
      addresses.add(address);
    },
    for: (who) => watched(inner.for?.(who) ?? inner),
  });

  return {
    egress: watched(createEgressPolicy(deny ? { deny: ['0.0.0.0/0', '::/0'] } : {})),
    owns: (socket) => dialling || sockets.has(socket),
    passed: (address) => addresses.has(address),
  };
}
