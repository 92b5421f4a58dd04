import type { Socket } from 'node:net';

/** The way bytes take through the proxy. */
export type Direction = 'toServer' | 'toClient';

/** What is done to the bytes of every connection. */
export interface Conditions {
  delayMs: number;
  /** Undefined: as fast as it goes. */
  bytesPerSecond: number | undefined;
}

/** Does something to the link when exactly `remaining` more bytes have been forwarded in the direction. */
export interface Trigger {
  readonly direction: Direction;
  remaining: number;
  readonly fire: (link: Link) => void;
  /** What several links' triggers have in common, when only the first of them is to fire. */
  readonly source?: Trigger;
}

/** One connection through the proxy: two sockets and what flows between them. */
export interface Link {
  readonly sockets: { readonly client: Socket; readonly server: Socket };
  /** Bytes forwarded so far. */
  readonly forwarded: Record<Direction, number>;
  readonly triggers: Set<Trigger>;
  /** Holds back all that flows in the direction, a close included, until `release`. */
  hold(direction: Direction): void;
  release(direction: Direction): void;
  /** Has the conditions looked at again: they were changed. */
  wake(): void;
  /** Forwards nothing from now on, whatever arrives. */
  stopForwarding(): void;
}

interface Lane {
  readonly queue: { readonly chunk: Buffer | 'end' | 'reset'; readonly arrivedAt: number }[];
  queuedBytes: number;
  held: boolean;
  wake: () => void;
}

const HIGH_WATER_BYTES = 1_048_576;
const THROTTLE_SLICES_PER_SECOND = 20;

/** Joins two sockets; bytes, half-closes and resets pass in order, under the conditions that hold when they pass. */
export function createLink(client: Socket, server: Socket, conditions: Conditions): Link {
  let forwarding = true;
  const lanes: Record<Direction, Lane> = { toServer: createLane(), toClient: createLane() };
  const link: Link = {
    sockets: { client, server },
    forwarded: { toServer: 0, toClient: 0 },
    triggers: new Set(),
    hold(direction) {
      lanes[direction].held = true;
    },
    release(direction) {
      lanes[direction].held = false;
      lanes[direction].wake();
    },
    wake() {
      for (const lane of Object.values(lanes)) lane.wake();
    },
    stopForwarding() {
      forwarding = false;
      for (const lane of Object.values(lanes)) lane.queue.length = 0;
      link.wake();
      // Read on, or the other side's close would never be seen.
      client.resume();
      server.resume();
    },
  };
  carry('toServer', client, server);
  carry('toClient', server, client);
  return link;

  function carry(direction: Direction, from: Socket, to: Socket): void {
    const lane = lanes[direction];
    const push = (chunk: Buffer | 'end' | 'reset'): void => {
      if (!forwarding) return;
      lane.queue.push({ chunk, arrivedAt: Date.now() });
      lane.queuedBytes += chunk.length;
      if (lane.queuedBytes > HIGH_WATER_BYTES) from.pause();
      lane.wake();
    };
    from.on('data', push);
    from.on('end', () => push('end'));
    from.on('error', () => push('reset'));
    void drain(direction, from, to);
  }

  async function drain(direction: Direction, from: Socket, to: Socket): Promise<void> {
    const lane = lanes[direction];
    while (forwarding) {
      const next = lane.held ? undefined : lane.queue[0];
      const waitMs = next && next.arrivedAt + conditions.delayMs - Date.now();
      if (next === undefined || (waitMs ?? 0) > 0) {
        await woken(lane, waitMs);
        continue;
      }
      lane.queue.shift();
      lane.queuedBytes -= next.chunk.length;
      if (lane.queuedBytes <= HIGH_WATER_BYTES) from.resume();
      if (next.chunk === 'end') to.end();
      else if (next.chunk === 'reset') resetSocket(to);
      else await forward(direction, to, next.chunk);
    }
  }

  async function forward(direction: Direction, to: Socket, chunk: Buffer): Promise<void> {
    let rest = chunk;
    while (rest.length > 0 && forwarding) {
      if (lanes[direction].held) {
        await woken(lanes[direction]);
        continue;
      }
      const slice = rest.subarray(
        0,
        Math.min(rest.length, sliceBytes(), ...armed(direction).map(({ remaining }) => remaining)),
      );
      rest = rest.subarray(slice.length);
      await written(to, slice);
      link.forwarded[direction] += slice.length;
      for (const trigger of armed(direction)) {
        trigger.remaining -= slice.length;
        if (trigger.remaining > 0) continue;
        link.triggers.delete(trigger);
        trigger.fire(link);
      }
      if (conditions.bytesPerSecond !== undefined)
        await allowance(direction, (slice.length / conditions.bytesPerSecond) * 1_000);
    }
  }

  // New bytes wake the lane too: they do not shorten the wait, a change of the throttle does.
  async function allowance(direction: Direction, ms: number): Promise<void> {
    const rate = conditions.bytesPerSecond;
    for (const end = Date.now() + ms; forwarding && rate === conditions.bytesPerSecond && Date.now() < end;) {
      await woken(lanes[direction], end - Date.now());
    }
  }

  function sliceBytes(): number {
    if (conditions.bytesPerSecond === undefined) return Infinity;
    return Math.max(1, Math.ceil(conditions.bytesPerSecond / THROTTLE_SLICES_PER_SECOND));
  }

  function armed(direction: Direction): Trigger[] {
    return [...link.triggers].filter((trigger) => trigger.direction === direction);
  }
}

/** Ends it with a reset. libuv refuses to reset what is shutting down, and the process cannot end then. */
export function resetSocket(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

// Resolves when the lane is woken, or after so many milliseconds.
function woken(lane: Lane, ms?: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = ms === undefined ? undefined : setTimeout(resolve, Math.max(0, ms));
    lane.wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

function createLane(): Lane {
  return { queue: [], queuedBytes: 0, held: false, wake: () => undefined };
}

// Resolves when the bytes are the operating system's, or when the socket is gone.
function written(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (!socket.writable) {
      resolve();
      return;
    }
    socket.write(bytes, () => resolve());
  });
}
