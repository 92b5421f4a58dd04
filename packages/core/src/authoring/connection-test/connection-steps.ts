import { once } from 'node:events';
import { isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { Egress } from '../../contract/egress.ts';
import { certificateExpiry } from './certificate-expiry.ts';
import type { Finding } from './finding.ts';
import type { OperationScope } from '../operations/operation-scope.ts';
import { formatServerAddress, type ServerAddress } from '../server-address.ts';
import { withoutRemedy } from '../faults/without-remedy.ts';

export interface ServerAttempt {
  /** For messages, before the server's address: `connecting to`. */
  readonly doing: string;
  /** Limit for each server, in milliseconds: the step waits for the last of them. */
  readonly timeoutMs: number;
  /** What the report says of a server that answered. */
  readonly run: (server: ServerAddress, step: OperationScope) => Promise<string>;
}

/** Tries each server: one that answers is enough, and those that do not are a warning. Throws what the first met where none does. */
export async function tryServers(
  servers: readonly ServerAddress[],
  step: OperationScope,
  { doing, timeoutMs, run }: ServerAttempt,
): Promise<Finding<readonly ServerAddress[]>> {
  const attempt = (server: ServerAddress): Promise<string> =>
    step.step({ doing: `${doing} ${formatServerAddress(server)}`, timeoutMs }, async (one) => {
      try {
        return await run(server, one);
      } catch (thrown) {
        throw one.failure(thrown);
      }
    });
  const outcomes = await Promise.all(
    servers.map(async (server) => {
      try {
        return { server, found: await attempt(server) };
      } catch (thrown) {
        return { error: step.failure(thrown) };
      }
    }),
  );
  step.throwIfEnded();
  const good = outcomes.flatMap(({ server }) => server ?? []);
  const errors = outcomes.flatMap(({ error }) => error ?? []);
  const [error] = errors;
  if (good.length === 0) throw error ?? new Error('There is no server.');
  const found = outcomes.map((outcome) => outcome.found ?? withoutRemedy(outcome.error)).join(' ');
  if (error === undefined) return { found, value: good };
  const remedy =
    'Correct the addresses in the spec, or bring the others back: an export works through one that answers.';
  return { found, value: good, warning: { code: error.code, remedy } };
}

/** The addresses of the server that the egress policy allows; rejects where there is none. */
export async function resolveServer(egress: Egress, { host }: ServerAddress): Promise<string> {
  if (isIP(host) !== 0) {
    egress.check(host);
    return `${host} is an address, and allowed.`;
  }
  const addresses = await new Promise<readonly string[]>((resolve, reject) => {
    egress.lookup(host, { all: true }, (error, found) => {
      if (error !== null) reject(error);
      else resolve(typeof found === 'string' ? [found] : found.map(({ address }) => address));
    });
  });
  return `${host} is ${addresses.join(', ')}.`;
}

export interface HandshakeOptions {
  readonly server: ServerAddress;
  readonly egress: Egress;
  readonly step: OperationScope;
  readonly timeoutMs: number;
  readonly tls: ConnectionOptions;
  readonly upgrade?: ((socket: Socket, step: OperationScope) => Promise<void>) | undefined;
  readonly ask?: ((channel: TLSSocket, step: OperationScope) => Promise<void>) | undefined;
}

/** Makes a connection of its own, shakes hands, and leaves no socket behind. */
export async function shakeHands(options: HandshakeOptions): Promise<Finding<true>> {
  const { server, egress, step, timeoutMs, tls, upgrade, ask } = options;
  const socket = await egress.dial({ ...server, signal: step.signal, timeoutMs });
  let channel: TLSSocket | undefined;
  try {
    await upgrade?.(socket, step);
    channel = connectTls({ ...tls, socket });
    const upper = channel;
    upper.on('error', () => undefined);
    socket.on('error', (error) => upper.destroy(error));
    socket.once('close', () => upper.destroy());
    await once(upper, 'secureConnect', { signal: step.signal });
    await ask?.(upper, step);
    return describeChannel(upper, server);
  } finally {
    // From above, for TLS closes what is below it.
    channel?.destroy();
    socket.destroy();
  }
}

function describeChannel(channel: TLSSocket, server: ServerAddress): Finding<true> {
  const subject = `the certificate of ${formatServerAddress(server)}`;
  const expiry = certificateExpiry(channel.getPeerCertificate(), { subject });
  const found = `${channel.getProtocol() ?? 'TLS'}; ${expiry?.found ?? `${subject} does not say how long it is valid`}.`;
  return { found, value: true, warning: expiry?.warning };
}
