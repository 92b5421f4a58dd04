import { isIP, Socket, type LookupFunction, type SocketConnectOpts } from 'node:net';
import type { Egress } from '../contract/egress.ts';
import { SinkError } from '../contract/errors/errors.ts';

interface Guard {
  readonly check: Egress['check'];
  readonly lookup: LookupFunction;
}

type ConnectArguments = readonly [
  target: SocketConnectOpts | number | string,
  second?: string | (() => void),
  third?: () => void,
];

/** A socket that checks whom it is told to connect to: for clients that make the connection on a socket they are given. */
export class GuardedSocket extends Socket {
  readonly #guard: Guard;

  constructor(guard: Guard) {
    super();
    this.#guard = guard;
  }

  override connect(options: SocketConnectOpts, connectionListener?: () => void): this;
  override connect(port: number, host: string, connectionListener?: () => void): this;
  override connect(port: number, connectionListener?: () => void): this;
  override connect(path: string, connectionListener?: () => void): this;
  override connect(...given: ConnectArguments): this {
    const { options, listener } = readArguments(given);
    if ('path' in options && options.path !== undefined && options.path !== null) {
      return this.destroy(
        new SinkError(
          'EGRESS_DENIED',
          'The egress policy of this operator forbids Unix sockets: give a host and a port.',
        ),
      );
    }
    // An IP address never reaches the lookup and is dialled as checked here; anything else is dialled as the lookup checked it.
    const host = ('host' in options ? options.host : undefined) || 'localhost';
    try {
      if (isIP(host) !== 0) this.#guard.check(host);
    } catch (error) {
      return this.destroy(error as Error);
    }
    return super.connect(
      { ...(options as { port: number }), host, lookup: this.#guard.lookup, autoSelectFamily: true },
      listener,
    );
  }
}

/** The forms of `net.Socket.connect`: options, a path, or port and host. */
function readArguments([target, second, third]: ConnectArguments): {
  readonly options: Partial<SocketConnectOpts>;
  readonly listener: (() => void) | undefined;
} {
  const listener = typeof second === 'function' ? second : third;
  if (typeof target === 'object') return { options: { ...target }, listener };
  if (typeof target === 'string' && !/^\d+$/u.test(target)) return { options: { path: target }, listener };
  return { options: { port: Number(target), ...(typeof second === 'string' ? { host: second } : {}) }, listener };
}
