import { Socket } from 'node:net';

/** Counts what every socket of this process has written from now on: the only count that needs nothing of the client. */
export function countWireBytes(): () => number {
  const sockets = new Set<Socket>();
  let closed = 0;
  const connect = Socket.prototype.connect;
  Socket.prototype.connect = function connectAndCount(this: Socket, ...given: Parameters<Socket['connect']>): Socket {
    if (!sockets.has(this)) {
      sockets.add(this);
      this.once('close', () => {
        sockets.delete(this);
        closed += this.bytesWritten;
      });
    }
    return connect.apply(this, given);
  } as Socket['connect'];
  return () => [...sockets].reduce((sum, socket) => sum + socket.bytesWritten, closed);
}
