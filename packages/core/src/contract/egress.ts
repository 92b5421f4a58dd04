import type { LookupFunction, Socket } from 'node:net';

export interface DialOptions {
  /** Host name or IP address; never a path. */
  readonly host: string;
  readonly port: number;
  readonly signal?: AbortSignal;
  /** Limit for name resolution and TCP connect together, in milliseconds. Default 10 000. */
  readonly timeoutMs?: number;
}

/** The only way out for a sink: every address it dials is resolved, checked against the host's policy and then dialled as checked. */
export interface Egress {
  /** A connected socket. Rejects with EGRESS_DENIED, UNAVAILABLE, TIMEOUT, OVERLOADED or ABORTED; leaves no socket behind when it does. */
  dial(options: DialOptions): Promise<Socket>;
  /** An unconnected socket for clients that call `connect(port, host)` themselves; a denied address ends in an `error` event with EGRESS_DENIED. */
  socket(): Socket;
  /** For clients that take a `lookup`: resolves to allowed addresses only. An IP address never reaches a lookup: such a client needs `socket` or `check`. */
  readonly lookup: LookupFunction;
  /** Throws EGRESS_DENIED where the policy forbids the IP address; `host` is the name it came from, for the message. */
  check(address: string, host?: string): void;
  /** The same policy, whose errors say whom it forbade the address: `sink "orders" (type "postgres")`. A policy of a host's own may lack it. */
  for?(who: string): Egress;
}
