import { SinkError } from '@kollect/core';

/** A single host name or address: no list, no path of a socket, no URL. `what` begins the message. */
export function checkedHost(host: string, what: string): string {
  if (host.includes(','))
    throw invalid(`${what} names several servers; give one, such as the address that follows the primary.`);
  if (host.startsWith('/') || host.startsWith('@'))
    throw invalid(`${what} is the path of a socket; the sink connects over TCP alone.`);
  const bare = /^\[(.*)\]$/.exec(host)?.[1] ?? host;
  if (!/^[\p{L}\p{N}._:%-]+$/u.test(bare)) throw invalid(`${what} is neither a host name nor an IP address.`);
  return bare;
}

/** A port as text, 5432 where there is none. */
export function checkedPort(port: string | undefined, what: string): number {
  const text = (port ?? '').trim();
  if (text === '') return 5432;
  const number = Number(text);
  if (!/^[0-9]+$/.test(text) || number < 1 || number > 65_535)
    throw invalid(`${what} must be a number from 1 to 65535.`);
  return number;
}

function invalid(message: string): SinkError {
  return new SinkError('SPEC_INVALID', message, { sinkType: 'postgres' });
}
