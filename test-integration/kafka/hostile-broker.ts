import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A frame with its length in front, as it came. */
export type Frame = Buffer;

/** What becomes of an answer before it is sent: the frames to send, and whether the connection ends with them. */
export interface Reply {
  readonly frames: readonly Buffer[];
  readonly end?: boolean;
}

/** An answer that a broker gave, with the request that it is for. */
export interface Asked {
  readonly apiKey: number;
  readonly answer: Frame;
}

/** A broker that learns what a real one answers, and then answers so itself, or worse. */
export interface HostileBroker {
  readonly address: string;
  /** Passes on to the broker, and remembers what it answers; all that names its port names ours. */
  learnFrom(port: number): void;
  /** Answers alone from now on; the function damages. */
  attackWith(reply: (asked: Asked) => Reply): void;
  stop(): Promise<void>;
}

const headerBytes = 8;

export async function startHostileBroker(): Promise<HostileBroker> {
  const learnt = new Map<string, Frame>();
  const open = new Set<Socket>();
  let real = 0;
  let reply: ((asked: Asked) => Reply) | undefined;
  const own = (): number => (server.address() as AddressInfo).port;

  const answerAlone = (socket: Socket, damage: (asked: Asked) => Reply): void => {
    socket.on(
      'data',
      framesOf((request) => {
        const apiKey = request.readInt16BE(4);
        const known = learnt.get(kindOf(request));
        if (known === undefined) return;
        const answer = Buffer.from(known);
        request.copy(answer, 4, 8, 12);
        const { frames, end = false } = damage({ apiKey, answer });
        for (const frame of frames) if (socket.writable) socket.write(frame);
        if (end) socket.end();
      }),
    );
  };
  const passOn = (socket: Socket): void => {
    const upstream = connect(real, '127.0.0.1');
    track(upstream);
    const asked = new Map<number, string>();
    socket.on('close', () => upstream.destroy());
    upstream.on('close', () => socket.destroy());
    socket.on(
      'data',
      framesOf((request) => {
        asked.set(request.readInt32BE(8), kindOf(request));
        upstream.write(request);
      }),
    );
    upstream.on(
      'data',
      framesOf((answer) => {
        const told = renamed(answer, real, own());
        const kind = asked.get(told.readInt32BE(4));
        if (kind !== undefined) learnt.set(kind, told);
        socket.write(told);
      }),
    );
  };
  const track = (socket: Socket): void => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => open.delete(socket));
  };
  const server = createServer((socket) => {
    track(socket);
    if (reply === undefined) passOn(socket);
    else answerAlone(socket, (asked) => reply?.(asked) ?? { frames: [asked.answer] });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    address: `127.0.0.1:${own()}`,
    learnFrom(port) {
      real = port;
      reply = undefined;
    },
    attackWith(damage) {
      reply = damage;
    },
    async stop() {
      for (const socket of open) socket.destroy();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}

/** Number and version of the API that a request is for. */
function kindOf(request: Frame): string {
  return `${request.readInt16BE(4)}:${request.readInt16BE(6)}`;
}

function framesOf(take: (frame: Frame) => void): (chunk: Buffer) => void {
  let held = Buffer.alloc(0);
  return (chunk) => {
    held = Buffer.concat([held, chunk]);
    while (held.length >= headerBytes) {
      const end = 4 + held.readInt32BE(0);
      if (held.length < end) return;
      take(Buffer.from(held.subarray(0, end)));
      held = held.subarray(end);
    }
  };
}

/** The address of the one port becomes that of the other; both take four bytes. */
function renamed(frame: Frame, from: number, to: number): Frame {
  const host = Buffer.from('127.0.0.1');
  for (let at = frame.indexOf(host); at >= 0; at = frame.indexOf(host, at + 1)) {
    const end = at + host.length;
    if (end + 4 <= frame.length && frame.readInt32BE(end) === from) frame.writeInt32BE(to, end);
  }
  return frame;
}
