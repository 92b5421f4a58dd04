import type { Connection, Reader } from '@platformatic/kafka';
import { checkAnswerSize, throttleWithinReason } from '../answer-limits.ts';
import { createFrameReader, unreadableAnswer } from '../broker-frames.ts';

export interface ExchangeGuard {
  /** The name of the broker, for errors. */
  readonly broker: string;
  /** Called with the milliseconds that the broker asks to wait. */
  readonly onThrottle: (ms: number) => void;
}

/**
 * Answers are read within their bytes; errors say which broker they came from, which need not be one of the spec; what answers say of quotas
 * is told; and what the library throws of an answer fails the request.
 */
export function guardExchanges(connection: Connection, { broker, onThrottle }: ExchangeGuard): void {
  const send = connection.send.bind(connection);
  connection.send = (apiKey, version, payload, parser, requestTags, responseTags, callback) => {
    const parse: typeof parser = (correlationId, key, parsedVersion, reader) => {
      try {
        checkAnswerSize(apiKey, reader.length);
        return parser(correlationId, key, parsedVersion, forwardOnly(reader));
      } catch (error) {
        throw tellingError(error as Error);
      }
    };
    send(apiKey, version, payload, parse, requestTags, responseTags, (failure, answer) => {
      const error = failure instanceof Error ? Object.assign(failure, { broker }) : failure;
      const { throttleTimeMs } = Object(answer) as { readonly throttleTimeMs?: unknown };
      if (typeof throttleTimeMs === 'number' && throttleTimeMs > 0) onThrottle(throttleWithinReason(throttleTimeMs));
      try {
        callback(error, answer);
      } catch {
        connection.socket.destroy(unreadableAnswer());
        failWith(callback, Object.assign(unreadableAnswer(), { broker }));
      }
    });
  };
}

const tellingCode = /^(?:PLT_KFK_|LISTENER_EXPECTS_TLS$)/;

type Listener = (...args: readonly never[]) => void;
const guardedEvents: ReadonlySet<string> = new Set(['close', 'drain', 'error']);

/** What the library throws from a listener of the socket would end the host's process; it is given whole answers, which have an end. */
export function guardListeners(socket: Connection['socket']): void {
  const on = socket.on.bind(socket) as (event: string, listener: Listener) => Connection['socket'];
  const guarded = (listen: Listener, listener: Listener): Listener =>
    // By its name a listener is taken off again.
    Object.assign(
      (...args: readonly never[]): void => {
        try {
          listen(...args);
        } catch (error) {
          socket.destroy(tellingError(error as Error));
        }
      },
      { listener },
    );
  const replaced: typeof on = (event, listener) => {
    if (event === 'data') return on(event, guarded(createFrameReader(listener as (chunk: Buffer) => void), listener));
    return on(event, guardedEvents.has(event) && !('listener' in listener) ? guarded(listener, listener) : listener);
  };
  Object.assign(socket, { on: replaced });
}

function failWith(callback: (error: Error, answer: never) => void, error: Error): void {
  try {
    callback(error, undefined as never);
  } catch {
    // Whoever asked has a time limit.
  }
}

/** The reader, which neither goes back nor past its end: so no answer can be read for ever. */
function forwardOnly(reader: Reader): Reader {
  let position = reader.position;
  return Object.defineProperty(reader, 'position', {
    get: () => position,
    set: (next: number) => {
      if (!(next >= position && next <= reader.length)) throw unreadableAnswer();
      position = next;
    },
  });
}

/** The library's own errors have a code and tell what a broker meant; what JavaScript says of an answer that makes no sense tells nothing. */
function tellingError(error: Error): Error {
  const { code } = error as { readonly code?: unknown };
  return tellingCode.test(String(code)) ? error : unreadableAnswer();
}
