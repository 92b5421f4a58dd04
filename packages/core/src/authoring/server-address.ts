import { isIP, isIPv4 } from 'node:net';
import { domainToASCII } from 'node:url';
import { holdsSecret } from '../contract/errors/secrets.ts';

export interface ServerAddress {
  /** Host name or IP address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** What was read, or what is wrong with the text: words that go behind the field's name and never repeat the text, which may hold a secret. */
export type Parsed<T> =
  | { readonly value: T; readonly problem?: undefined }
  | { readonly problem: string; readonly value?: undefined };

export interface ServerAddressOptions {
  /** Absent: the text must name a port. */
  readonly defaultPort?: number;
}

const examples = 'such as "db.example:5432" or "[2001:db8::1]:5432"';

/** `host:port` or `[IPv6]:port`, and without the port where there is a default. */
export function parseServerAddress(text: string, { defaultPort }: ServerAddressOptions = {}): Parsed<ServerAddress> {
  const form =
    defaultPort === undefined ? `expected host:port, ${examples}` : `expected host or host:port, ${examples}`;
  if (text.includes(',')) return { problem: `${form}, found a list` };
  if (/[/@?#=\\]/u.test(text)) return { problem: `${form} and nothing else: no scheme, user or path` };
  if (isIP(text) === 6) return { problem: `${form}: an IPv6 address stands in brackets` };
  const parts = /^(\[[^[\]]*\]|[^:[\]]*)(?::(.*))?$/su.exec(text);
  if (parts === null) return { problem: form };
  const [, hostText = '', portText] = parts;
  const host = parseHost(hostText);
  if (host.problem !== undefined) return { problem: `${form}: ${host.problem}` };
  if (portText === undefined) {
    return defaultPort === undefined
      ? { problem: `${form}: the port is missing` }
      : { value: { host: host.value, port: defaultPort } };
  }
  const port = parsePort(portText);
  if (port.problem !== undefined) return { problem: `${form}: ${port.problem}` };
  return { value: { host: host.value, port: port.value } };
}

const maxHostBytes = 253;
const maxLabelBytes = 63;

/** One host name or IP address, an IPv6 address with or without brackets. */
export function parseHost(text: string): Parsed<string> {
  if (text === '') return { problem: 'the host is missing' };
  const bracketed = /^\[(.*)\]$/su.exec(text)?.[1];
  const host = bracketed ?? text;
  if (isIP(host) === 6) return { value: host };
  if (bracketed !== undefined) return { problem: 'brackets hold an IPv6 address' };
  if (isIPv4(host)) return { value: host };
  if (host.includes(',')) return { problem: 'one host is wanted, not a list' };
  if (/^[/@]/u.test(host)) return { problem: 'it is the path of a socket, and sinks connect over TCP alone' };
  if (host.includes(':')) return { problem: 'a host holds no ":"; a port is given apart from it' };
  // Letters of any script are written as they are looked up, which is longer.
  const ascii = /^[\w.-]+$/u.test(host) ? host : /^[\p{L}\p{M}\p{N}._-]+$/u.test(host) ? domainToASCII(host) : '';
  if (ascii === '') return { problem: 'a host is a name of letters, digits, "-" and ".", or an IP address' };
  const labels = ascii.replace(/\.$/u, '').split('.');
  if (labels.some((label) => label === '')) return { problem: 'a host name has no empty part between dots' };
  if (labels.some((label) => label.startsWith('-') || label.endsWith('-')))
    return { problem: 'no part of a host name begins or ends with "-"' };
  if (labels.some((label) => label.length > maxLabelBytes))
    return { problem: `a part of a host name has at most ${maxLabelBytes} bytes` };
  if (labels.join('.').length > maxHostBytes) return { problem: `a host name has at most ${maxHostBytes} bytes` };
  // Names are shown in messages, and asked of servers.
  if (holdsSecret(host)) return { problem: 'it looks like a token, not like the name of a host' };
  // What ends in a number, resolvers take for an IPv4 address in one of its odd spellings.
  if (/^(?:\d+|0x[\da-f]*)$/iu.test(labels.at(-1) ?? ''))
    return { problem: 'it looks like an IPv4 address and is none' };
  return { value: host };
}

/** A port as text, 1 to 65535. */
export function parsePort(text: string): Parsed<number> {
  const port = Number(text);
  return /^\d{1,5}$/u.test(text) && port >= 1 && port <= 65_535
    ? { value: port }
    : { problem: 'a port is a number from 1 to 65535' };
}

/** `host:port`, an IPv6 address in brackets. */
export function formatServerAddress({ host, port }: ServerAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
}
