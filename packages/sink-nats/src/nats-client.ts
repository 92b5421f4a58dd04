import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Egress, SinkContext } from '@kollect/core';
import type { ServerAddress } from '@kollect/core/authoring';
import { readNatsLogin, type NatsLogin } from './nats-login.ts';
import type { ResolvedNatsSpec } from './nats-spec.ts';
import { errorText, openConnection, type Connection, type ServerInfo } from './wire/connection.ts';
import { failureSaid, natsFailure } from './wire/failure.ts';
import type { Frame } from './wire/frame-reader.ts';
import { decodeHeaders, headerText, type IncomingNatsHeaders, type NatsHeaders } from './wire/headers.ts';

export interface NatsMessage {
  readonly subject: string;
  /** Of all of them together. */
  readonly headers?: readonly NatsHeaders[];
  readonly body?: Uint8Array;
}

export interface NatsAnswer {
  readonly headers: IncomingNatsHeaders;
  readonly body: Uint8Array;
}

/** All that a client may know. `login` is asked at every connect. */
export interface NatsClientConfig {
  readonly servers: readonly ServerAddress[];
  readonly name: string;
  readonly inboxPrefix: string;
  readonly handshakeFirst: boolean;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly egress: Egress;
  readonly login: () => Promise<Pick<NatsLogin, 'tls' | 'fields'>>;
  /** Called where a connection that was in use is lost, and not where it is destroyed. */
  readonly onLost?: () => void;
}

/** What the client of a sink knows of it. */
export function clientConfig(context: SinkContext<ResolvedNatsSpec>): NatsClientConfig {
  const { servers, inboxPrefix, tls, connectTimeoutMs, requestTimeoutMs } = context.spec;
  return {
    servers,
    inboxPrefix,
    connectTimeoutMs,
    requestTimeoutMs,
    handshakeFirst: tls?.handshakeFirst === true,
    name: `kollect ${context.name}`,
    egress: context.egress,
    login: () => readNatsLogin(context),
  };
}

/** One connection to one of the servers. Once it is lost every call rejects; another client takes its place. */
export interface NatsClient {
  connect(): Promise<void>;
  /** Of the server that it is connected to. */
  readonly server: ServerInfo;
  /** Sends without waiting for an answer; resolves when there is room for the next message. */
  publish(message: NatsMessage): Promise<void>;
  /** Rejects where nobody is there to answer, where we may not ask, and after `requestTimeoutMs`. */
  request(message: NatsMessage): Promise<NatsAnswer>;
  /** Ends the connection at once and never rejects; may be called twice and while `connect` runs. */
  destroy(): Promise<void>;
}

interface Pending {
  readonly subject: string;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (answer: NatsAnswer) => void;
  readonly reject: (error: Error) => void;
}

const lineEnd = '\r\n';
const lineEndBytes = Buffer.from(lineEnd);
/** What is copied sooner than sent in pieces. */
const smallBytes = 16_384;
const gatheredBytes = 65_536;

/** Makes a client; does no I/O. */
export function createNatsClient(config: NatsClientConfig): NatsClient {
  const inbox = `${config.inboxPrefix}.${randomBytes(11).toString('hex')}`;
  const pending = new Map<string, Pending>();
  const aborter = new AbortController();
  let connection: Connection | undefined;
  let ended: Error | undefined;
  let asked = 0;
  /** Bytes that wait for the end of this turn of the event loop; -1 where none do. */
  let gathered = -1;
  let owesPong = false;

  const end = (error: Error): void => {
    ended ??= error;
    aborter.abort(ended);
    connection?.socket.destroy();
    for (const [key, { reject }] of pending) {
      settle(key);
      reject(ended);
    }
  };
  const lose = (error: Error): void => {
    if (ended === undefined) config.onLost?.();
    end(error);
  };
  const settle = (key: string): Pending | undefined => {
    const one = pending.get(key);
    clearTimeout(one?.timer);
    pending.delete(key);
    return one;
  };
  /** One answer is enough for all that came together or while the server did not read. */
  const pong = (): void => {
    const socket = connection?.socket;
    if (socket === undefined || owesPong) return;
    const send = (): void => {
      owesPong = false;
      if (socket.writable) socket.write(`PONG${lineEnd}`);
    };
    owesPong = true;
    if (socket.writableNeedDrain) socket.once('drain', send);
    else process.nextTick(send);
  };
  const onLine = (text: string): void => {
    if (/^PING$/iu.test(text)) pong();
    else if (/^-ERR/iu.test(text)) onError(errorText(text));
    else if (!/^(?:PONG$|INFO |\+OK)/iu.test(text)) lose(natsFailure('no-nats'));
  };
  const onError = (text: string): void => {
    const kind = failureSaid(text);
    // Whoever was let in before has a login that was rotated: a new connection logs in with what is given then.
    if (kind === 'authorization' || kind === 'login-expired') return lose(natsFailure('lost'));
    if (kind !== 'denied-publish') return lose(natsFailure(kind));
    for (const [key, { subject, reject }] of pending) {
      if (!text.toLowerCase().includes(['"', subject.toLowerCase(), '"'].join(''))) continue;
      settle(key);
      reject(natsFailure(kind));
    }
  };
  const onFrame = (frame: Frame): void => {
    if (frame.kind === 'line') return onLine(frame.text);
    const one = settle(frame.subject.slice(inbox.length + 1));
    if (one === undefined) return;
    const headers = decodeHeaders(frame.headers);
    if (headers.status === 503) one.reject(natsFailure('no-responders'));
    else one.resolve({ headers, body: frame.body });
  };
  const write = ({ subject, headers, body = new Uint8Array() }: NatsMessage, reply?: string): boolean => {
    if (connection === undefined || ended !== undefined) throw ended ?? natsFailure('lost');
    const { socket, info } = connection;
    const head = headers === undefined ? '' : headerText(headers);
    const headBytes = Buffer.byteLength(head);
    const total = headBytes + body.length;
    if (total > info.maxPayload) throw natsFailure('payload');
    const to = reply === undefined ? subject : `${subject} ${reply}`;
    const verb = headers === undefined ? `PUB ${to} ${total}` : `HPUB ${to} ${headBytes} ${total}`;
    const parts = [Buffer.from(`${verb}${lineEnd}${head}`), body, lineEndBytes];
    gather(socket);
    gathered += total;
    const pieces = total <= smallBytes ? [Buffer.concat(parts)] : parts;
    const hasRoom = pieces.map((piece) => piece.length === 0 || socket.write(piece)).every(Boolean);
    // The server can begin with these, while the next ones are made.
    if (gathered > gatheredBytes) letGo(socket);
    return hasRoom;
  };
  /** What is sent in one turn of the event loop goes out together. */
  const gather = (socket: Socket): void => {
    if (gathered >= 0) return;
    gathered = 0;
    socket.cork();
    process.nextTick(letGo, socket);
  };
  const letGo = (socket: Socket): void => {
    if (gathered < 0) return;
    gathered = -1;
    socket.uncork();
  };

  return {
    get server() {
      if (connection === undefined) throw ended ?? natsFailure('lost');
      return connection.info;
    },
    connect: async () => {
      const { tls, fields } = await config.login();
      const errors: unknown[] = [];
      for (const server of shuffled(config.servers)) {
        aborter.signal.throwIfAborted();
        try {
          connection = await openConnection({
            server,
            egress: config.egress,
            name: config.name,
            timeoutMs: config.connectTimeoutMs,
            signal: aborter.signal,
            tls: tls === undefined ? undefined : (host) => tls.for(host),
            handshakeFirst: config.handshakeFirst,
            login: fields,
          });
          break;
        } catch (error) {
          errors.push(error);
        }
      }
      if (connection === undefined) throw ended ?? errors[0];
      connection.listen(onFrame, lose);
      if (ended !== undefined) throw ended;
      connection.socket.write(`SUB ${inbox}.* 1${lineEnd}`);
    },
    publish: async (message) => {
      if (write(message) || connection === undefined) return;
      const { socket } = connection;
      await new Promise<void>((resolve) => {
        const go = (): void => {
          socket.off('drain', go);
          socket.off('close', go);
          resolve();
        };
        socket.once('drain', go);
        socket.once('close', go);
      });
      if (ended !== undefined) throw ended;
    },
    request: (message) =>
      new Promise((resolve, reject) => {
        const key = (asked += 1).toString(36);
        write(message, `${inbox}.${key}`);
        const timer = setTimeout(() => {
          settle(key);
          reject(natsFailure('timeout'));
        }, config.requestTimeoutMs);
        pending.set(key, { subject: message.subject, timer, resolve, reject });
      }),
    destroy: async () => end(natsFailure('lost')),
  };
}

function shuffled<T>(all: readonly T[]): T[] {
  return all
    .map((value) => ({ value, order: Math.random() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ value }) => value);
}
