import type { Socket } from 'node:net';
import {
  anyValue,
  aPositiveNumber,
  aSignal,
  aText,
  checkOptions,
  required,
  type OptionKinds,
} from '../contract/errors/check-options.ts';
import type { DialOptions } from '../contract/egress.ts';
import { SinkError } from '../contract/errors/errors.ts';
import { abortError } from './abort-error.ts';
import { describeNetworkFault, networkFault } from './faults/network-fault.ts';
import { showText, showValue } from '../contract/errors/show-value.ts';

const defaultTimeoutMs = 10_000;
/** What Node's timers can hold; a longer one would fire at once. */
const maxTimeoutMs = 2 ** 31 - 1;

/** A sink that knows whom it dials has better words: its classifier puts them in the place of these. */
const words = { server: 'the server', specPath: 'spec' };

const dialKinds: OptionKinds<DialOptions> = {
  host: required(aText),
  port: required(anyValue),
  signal: aSignal,
  timeoutMs: aPositiveNumber,
};

/** Connects a guarded socket. Whatever happens, no timer, no signal listener and, when it rejects, no socket stays behind. */
export function dial(createSocket: () => Socket, options: DialOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const of = 'The options of dial';
    const { host, port, signal, timeoutMs = defaultTimeoutMs } = checkOptions<DialOptions>(options, dialKinds, { of });
    const target = host.includes(':') ? `[${host}]:${String(port)}` : `${host}:${String(port)}`;
    if (signal?.aborted === true) throw abortError(signal, `Connecting to ${target}`);
    checkTarget(host, port);

    const socket = createSocket();
    const settle = (action: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.off('connect', onConnect);
      action();
    };
    const fail = (error: SinkError): void => {
      settle(() => {
        socket.destroy();
        reject(error);
      });
    };
    const onConnect = (): void => {
      settle(() => resolve(socket));
    };
    const onAbort = (): void => {
      if (signal !== undefined) fail(abortError(signal, `Connecting to ${target}`));
    };
    const onTimeout = (): void => {
      const cause = Object.assign(new Error('The time limit passed'), { code: 'ETIMEDOUT' });
      fail(new SinkError('TIMEOUT', `Connecting to ${target} took longer than ${String(timeoutMs)} ms.`, { cause }));
    };
    const timer = setTimeout(onTimeout, Math.min(timeoutMs, maxTimeoutMs));
    signal?.addEventListener('abort', onAbort);
    socket.once('connect', onConnect);
    // Stays for good: an error that arrives before the caller listens must not end the process. Once settled, `fail` changes nothing.
    socket.on('error', (error) => {
      fail(connectError(error, target));
    });
    socket.connect({ host, port });
  });
}

function checkTarget(host: string, port: number): void {
  if (host === '' || /[\s/]/u.test(host))
    throw new SinkError('SPEC_INVALID', `Expected a host name or an IP address to dial, found ${showText(host)}.`);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new SinkError(
      'SPEC_INVALID',
      `Expected a port from 1 to 65535 for ${showText(host)}, found ${showValue(port, { secret: false })}.`,
    );
}

function connectError(error: Error, target: string): SinkError {
  if (SinkError.isInstance(error)) return error;
  const codes = [...new Set(codesOf(error))];
  const unresolved = codes.some((code) => code === 'ENOTFOUND' || code.startsWith('EAI_'));
  const verb = unresolved ? 'Cannot resolve the host of' : 'Cannot connect to';
  const fault = networkFault(error);
  const { code = 'UNAVAILABLE', remedy } = fault === undefined ? {} : describeNetworkFault(fault, words);
  return new SinkError(code, `${verb} ${target}: ${codes.join(', ') || error.name}.`, { remedy, cause: error });
}

/** One code, or those of every address that was tried. */
function codesOf(error: Error): readonly string[] {
  const { errors, code } = error as {
    readonly errors?: readonly { readonly code?: unknown }[];
    readonly code?: unknown;
  };
  return (errors?.map((each) => each.code) ?? [code]).filter((each) => typeof each === 'string');
}
