import type { Socket } from 'node:net';
import { natsFailure } from './failure.ts';
import { headerText, type NatsHeaders } from './headers.ts';

export interface NatsMessage {
  readonly subject: string;
  /** Of all of them together. */
  readonly headers?: readonly NatsHeaders[];
  readonly body?: Uint8Array;
}

export interface MessageWriter {
  /** False where the socket has no room for more now. Throws where the server takes no message of that size. */
  write(message: NatsMessage, reply?: string): boolean;
  /** Resolves when there is room for more, or the socket is closed. */
  room(): Promise<void>;
  /** Answers the server. One answer is enough for all that came together or while it did not read. */
  pong(): void;
}

const lineEnd = '\r\n';
const lineEndBytes = Buffer.from(lineEnd);
/** What is copied sooner than sent in pieces. */
const smallBytes = 16_384;
const gatheredBytes = 65_536;

export function createMessageWriter(socket: Socket, maxPayload: number): MessageWriter {
  /** Bytes that wait for the end of this turn of the event loop; -1 where none do. */
  let gathered = -1;
  let owesPong = false;

  const letGo = (): void => {
    if (gathered < 0) return;
    gathered = -1;
    socket.uncork();
  };
  const gather = (bytes: number): void => {
    if (gathered < 0) {
      gathered = 0;
      socket.cork();
      process.nextTick(letGo);
    }
    gathered += bytes;
  };
  const sendPong = (): void => {
    owesPong = false;
    if (socket.writable) socket.write(`PONG${lineEnd}`);
  };

  return {
    write: ({ subject, headers, body = new Uint8Array() }, reply) => {
      const head = headers === undefined ? '' : headerText(headers);
      const headBytes = Buffer.byteLength(head);
      const total = headBytes + body.length;
      if (total > maxPayload) throw natsFailure('payload');
      const to = reply === undefined ? subject : `${subject} ${reply}`;
      const verb = headers === undefined ? `PUB ${to} ${total}` : `HPUB ${to} ${headBytes} ${total}`;
      const parts = [Buffer.from(`${verb}${lineEnd}${head}`), body, lineEndBytes];
      gather(total);
      const pieces = total <= smallBytes ? [Buffer.concat(parts)] : parts;
      const hasRoom = pieces.map((piece) => piece.length === 0 || socket.write(piece)).every(Boolean);
      // The server can begin with these, while the next ones are made.
      if (gathered > gatheredBytes) letGo();
      return hasRoom;
    },
    room: () =>
      new Promise((resolve) => {
        const go = (): void => {
          socket.off('drain', go);
          socket.off('close', go);
          resolve();
        };
        socket.once('drain', go);
        socket.once('close', go);
      }),
    pong: () => {
      if (owesPong) return;
      owesPong = true;
      if (socket.writableNeedDrain) socket.once('drain', sendPong);
      else process.nextTick(sendPong);
    },
  };
}
