import { isIP, connect as connectTcp, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Egress } from '../../contract/egress.ts';
import { SinkError } from '../../contract/errors/errors.ts';
import { tlsOptions, type SinkTls } from '../login/tls-options.ts';
import { formatServerAddress } from '../server-address.ts';

export interface HttpTarget {
  /** Host name or IP address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly encrypted: boolean;
  /** The name that the request goes to, where it is not the host. */
  readonly serverName?: string | undefined;
}

/** Makes the sockets of an agent, and ends them. */
export interface HttpConnector {
  /** A socket that is connecting; whatever is wrong arrives as its `error`, and never at once. It has a listener for errors for good. */
  open(target: HttpTarget): Socket;
  /** Gives the socket once it can be written to. */
  connect(target: HttpTarget, done: (...outcome: [Error, null] | [null, Socket]) => void): void;
  /** Every socket ends now, and no other is made. */
  close(): Promise<void>;
}

export interface HttpConnectorOptions {
  readonly egress: Egress;
  /** Asked at each connect. */
  readonly tls: () => SinkTls | undefined;
  /** Limit for name resolution, TCP and TLS together, in milliseconds. */
  readonly connectTimeoutMs: number;
}

export function createHttpConnector({ egress, tls, connectTimeoutMs }: HttpConnectorOptions): HttpConnector {
  const sockets = new Set<Socket>();
  let closed = false;
  let usual: SinkTls | undefined;
  /** The authorities that Node knows, where the sink gives nothing. */
  const usualTls = (): SinkTls | undefined =>
    (usual ??= tlsOptions({ sinkType: 'http', tls: { mode: 'verify-full' }, material: {} }));

  const open = (target: HttpTarget): Socket => {
    const socket = closed ? failing(agentClosed()) : startSocket(target, { egress, tls, usualTls });
    sockets.add(socket);
    const timer = setTimeout(() => {
      const to = formatServerAddress(target);
      socket.destroy(new SinkError('TIMEOUT', `Connecting to ${to} took longer than ${String(connectTimeoutMs)} ms.`));
    }, connectTimeoutMs);
    const settle = (): void => clearTimeout(timer);
    socket.setNoDelay(true);
    socket.once(readyEvent(target), settle);
    // Stays for good: an error that arrives while nobody listens must not end the process.
    socket.on('error', settle);
    socket.once('close', () => {
      settle();
      sockets.delete(socket);
    });
    return socket;
  };

  return {
    open,
    connect: (target, done) => {
      const socket = open(target);
      const settle = (...outcome: [Error, null] | [null, Socket]): void => {
        socket.off('error', fail).off('close', hungUp);
        done(...outcome);
      };
      const fail = (error: Error): void => settle(error, null);
      const hungUp = (): void => fail(new SinkError('UNAVAILABLE', `${formatServerAddress(target)} hung up.`));
      socket.once('error', fail).once('close', hungUp);
      // At once: an error that comes right behind it is for whoever takes the socket.
      socket.once(readyEvent(target), () => settle(null, socket));
    },
    close: async () => {
      closed = true;
      await Promise.all(
        [...sockets].map(
          (socket) =>
            new Promise((resolve) => {
              socket.once('close', resolve);
              // Without an error in the middle of an answer: where nobody listens any more, it would end the process.
              socket.destroy(socket.connecting ? agentClosed() : undefined);
            }),
        ),
      );
    },
  };
}

export function agentClosed(): SinkError {
  return new SinkError('ABORTED', 'The HTTP agent of the sink is closed.');
}

function readyEvent({ encrypted }: HttpTarget): 'connect' | 'secureConnect' {
  return encrypted ? 'secureConnect' : 'connect';
}

interface Dialling extends Pick<HttpConnectorOptions, 'egress' | 'tls'> {
  readonly usualTls: () => SinkTls | undefined;
}

function startSocket(target: HttpTarget, { egress, tls, usualTls }: Dialling): Socket {
  const { host, port, encrypted, serverName = host } = target;
  try {
    const given = tls();
    if (!encrypted && given !== undefined) throw notEncrypted(target);
    // An IP address never reaches the lookup.
    if (isIP(host) !== 0) egress.check(host);
    const address = { host, port, lookup: egress.lookup, autoSelectFamily: true };
    if (!encrypted) return connectTcp(address);
    return connectTls({ ...address, ...(given ?? usualTls())?.for(serverName), ALPNProtocols: ['http/1.1'] });
  } catch (error) {
    return failing(SinkError.from(error));
  }
}

function notEncrypted(target: HttpTarget): SinkError {
  return new SinkError(
    'TLS_FAILED',
    `The address http://${formatServerAddress(target)} is not encrypted, and this sink encrypts its connections.`,
    { remedy: 'Use an address that begins with https, or turn TLS off where the network is trusted.' },
  );
}

/** A socket that fails as one does whose name cannot be resolved: once its owner has had the time to listen, and before anything is written. */
function failing(error: SinkError): Socket {
  const lookup: LookupFunction = (_name, _options, callback) => setImmediate(() => callback(error, ''));
  return connectTcp({ host: 'nobody.invalid', port: 1, lookup });
}
