import type { Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { Egress } from '@kollect/core';
import type { ServerAddress } from '@kollect/core/authoring';
import { failureSaid, natsFailure } from './failure.ts';
import { createFrameReader, type Frame } from './frame-reader.ts';

/** What a server says of itself before anything else. */
export interface ServerInfo {
  readonly version: string;
  /** Largest message, headers and body. */
  readonly maxPayload: number;
  readonly jetStream: boolean;
  readonly nonce?: string;
}

/** What `CONNECT` says of who we are. */
export type ConnectFields = Readonly<Record<string, string>>;

export interface ConnectionOptionsOf {
  readonly server: ServerAddress;
  readonly egress: Egress;
  readonly name: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Absent: not encrypted. */
  readonly tls?: ((host: string) => ConnectionOptions) | undefined;
  readonly handshakeFirst: boolean;
  /** Asked once the server has given its nonce. */
  readonly login: (nonce: string | undefined) => ConnectFields;
}

/** A connection that the server let in. */
export interface Connection {
  readonly info: ServerInfo;
  readonly socket: Socket;
  /** Whoever comes first gets the frames from now on. */
  listen(onFrame: (frame: Frame) => void, onEnd: (error: Error) => void): void;
}

const maxLineBytes = 256 * 1024;
/** A server says two things or three before it lets anybody in. */
const mostLoginFrames = 100;
const mostPayload = 64 * 1024 * 1024;
/** JSON, with a message as base64 that may be older than the limit which the server has now. */
const maxMessageBytes = Math.ceil((mostPayload * 4) / 3) + 128 * 1024;

/** Dials one server, encrypts and logs in. Leaves no socket behind where it rejects. */
export async function openConnection(options: ConnectionOptionsOf): Promise<Connection> {
  const { server, egress, timeoutMs, signal, tls, handshakeFirst } = options;
  const dialled = await egress.dial({ ...server, signal, timeoutMs });
  let socket: Socket = dialled;
  let ended: Error | undefined;
  let onEnd = (error: Error): void => void (ended ??= error);
  const destroy = (): void => {
    socket.destroy();
    dialled.destroy();
  };
  const fail = (error: Error): void => {
    destroy();
    onEnd(error);
  };
  signal.addEventListener('abort', destroy, { once: true });
  const timer = setTimeout(() => fail(natsFailure('timeout')), timeoutMs);
  const frames: Frame[] = [];
  let onFrame = (frame: Frame): void => void frames.push(frame);

  const watchSocket = (watched: Socket): void => {
    const read = createFrameReader({ maxLineBytes, maxMessageBytes }, (frame) => onFrame(frame));
    watched.setNoDelay(true);
    watched.on('error', fail);
    watched.on('close', () => fail(natsFailure('lost')));
    watched.on('data', (chunk: Buffer) => {
      try {
        read(chunk);
      } catch (error) {
        fail(error as Error);
      }
    });
  };
  const nextFrame = (): Promise<Frame> =>
    new Promise((resolve, reject) => {
      const frame = frames.shift();
      if (frame !== undefined) return resolve(frame);
      if (ended !== undefined) return reject(ended);
      onFrame = (next) => {
        onFrame = (later) => void frames.push(later);
        resolve(next);
      };
      onEnd = (error) => {
        ended ??= error;
        reject(error);
      };
    });
  const encrypt = async (to: ConnectionOptions): Promise<void> => {
    dialled.removeAllListeners('data');
    // What came before TLS and is no greeting was put there by somebody on the way.
    if (frames.length > 0) throw natsFailure('no-nats');
    const channel = connectTls({ ...to, socket: dialled });
    socket = channel;
    dialled.on('error', (error) => channel.destroy(error));
    dialled.once('close', () => channel.destroy());
    channel.on('error', fail);
    await new Promise<void>((resolve, reject) => {
      channel.once('secureConnect', resolve);
      channel.once('error', reject);
      channel.once('close', () => reject(ended ?? natsFailure('lost')));
    });
    watchSocket(channel);
  };

  try {
    if (tls !== undefined && handshakeFirst) await encrypt(tls(server.host));
    else watchSocket(dialled);
    const greeting = readInfo(await nextFrame());
    if (tls === undefined && greeting.tlsRequired) throw natsFailure('needs-tls');
    if (tls !== undefined && !handshakeFirst) {
      if (!greeting.tlsAvailable) throw natsFailure('no-tls');
      await encrypt(tls(server.host));
    }
    const say = {
      verbose: false,
      pedantic: false,
      protocol: 1,
      lang: 'kollect',
      version: '1',
      headers: true,
      no_responders: true,
      echo: false,
      tls_required: tls !== undefined,
      name: options.name,
      ...options.login(greeting.nonce),
    };
    const introduction = JSON.stringify(say);
    socket.write(`CONNECT ${introduction}\r\nPING\r\n`);
    for (let count = 0; ; count += 1) {
      const frame = await nextFrame();
      if (frame.kind !== 'line' || count > mostLoginFrames) throw natsFailure('no-nats');
      if (/^PONG$/iu.test(frame.text)) break;
      if (/^PING$/iu.test(frame.text)) socket.write('PONG\r\n');
      else if (/^-ERR/iu.test(frame.text)) throw natsFailure(failureSaid(errorText(frame.text)));
      else if (!/^(?:INFO |\+OK)/iu.test(frame.text)) throw natsFailure('no-nats');
    }
    signal.throwIfAborted();
    const { version, maxPayload, jetStream, nonce } = greeting;
    return {
      info: { version, maxPayload, jetStream, ...(nonce === undefined ? {} : { nonce }) },
      socket,
      listen: (frame, end) => {
        onFrame = frame;
        onEnd = end;
        for (const early of frames.splice(0)) frame(early);
        if (ended !== undefined) end(ended);
      },
    };
  } catch (error) {
    destroy();
    // The server's last word explains why it hung up.
    throw ended !== undefined && (error as { natsFailure?: unknown }).natsFailure === undefined ? ended : error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', destroy);
  }
}

export function errorText(line: string): string {
  return /^-ERR\s+'?(.*?)'?$/iu.exec(line)?.[1] ?? '';
}

interface Greeting extends ServerInfo {
  readonly tlsRequired: boolean;
  readonly tlsAvailable: boolean;
}

function readInfo(frame: Frame): Greeting {
  const json = frame.kind === 'line' ? /^INFO\s+(\{.*\})$/iu.exec(frame.text)?.[1] : undefined;
  if (json === undefined)
    throw natsFailure(
      frame.kind === 'line' && /^-ERR/iu.test(frame.text) ? failureSaid(errorText(frame.text)) : 'no-nats',
    );
  const fields = parseFields(json);
  const { version, max_payload: maxPayload, headers, nonce } = fields;
  if (typeof version !== 'string' || !Number.isSafeInteger(maxPayload)) throw natsFailure('no-nats');
  if (headers !== true) throw natsFailure('no-headers');
  const required = fields['tls_required'] === true;
  return {
    version: /^[\w.-]{1,40}$/u.test(version) ? version : '0',
    maxPayload: Math.min(Math.max(maxPayload as number, 0), mostPayload),
    jetStream: fields['jetstream'] === true,
    tlsRequired: required,
    tlsAvailable: required || fields['tls_available'] === true,
    ...(typeof nonce === 'string' && nonce.length <= 1024 ? { nonce } : {}),
  };
}

function parseFields(json: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(json)) as Record<string, unknown>;
  } catch {
    throw natsFailure('no-nats');
  }
}
