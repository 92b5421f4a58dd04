import { randomBytes } from 'node:crypto';
import type { Egress, SinkContext } from '@kollect/core';
import type { ServerAddress } from '@kollect/core/authoring';
import { readNatsLogin, type NatsLogin } from './nats-login.ts';
import type { ResolvedNatsSpec } from './nats-spec.ts';
import { errorText, openConnection, type Connection, type ServerInfo } from './wire/connection.ts';
import { failureSaid, natsFailure } from './wire/failure.ts';
import type { Frame } from './wire/frame-reader.ts';
import { decodeHeaders, type IncomingNatsHeaders } from './wire/headers.ts';
import { createMessageWriter, type MessageWriter, type NatsMessage } from './wire/message-writer.ts';

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

/** Makes a client; does no I/O. */
export function createNatsClient(config: NatsClientConfig): NatsClient {
  const inbox = `${config.inboxPrefix}.${randomBytes(11).toString('hex')}`;
  const pending = new Map<string, Pending>();
  const aborter = new AbortController();
  let connection: Connection | undefined;
  let writer: MessageWriter | undefined;
  let ended: Error | undefined;
  let asked = 0;

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
  const onLine = (text: string): void => {
    if (/^PING$/iu.test(text)) writer?.pong();
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
  const open = (): MessageWriter => {
    if (writer === undefined || ended !== undefined) throw ended ?? natsFailure('lost');
    return writer;
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
      writer = createMessageWriter(connection.socket, connection.info.maxPayload);
      connection.listen(onFrame, lose);
      if (ended !== undefined) throw ended;
      connection.socket.write(`SUB ${inbox}.* 1\r\n`);
    },
    publish: async (message) => {
      const own = open();
      if (own.write(message)) return;
      await own.room();
      if (ended !== undefined) throw ended;
    },
    request: (message) =>
      new Promise((resolve, reject) => {
        const key = (asked += 1).toString(36);
        open().write(message, `${inbox}.${key}`);
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
