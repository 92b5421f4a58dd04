import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { SinkError } from '../contract/errors/errors.ts';
import { showText } from '../contract/errors/show-value.ts';

export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6;
export type IpRange = [IpAddress, number];

/** The address as the operating system would dial it; undefined for a name and for odd spellings (`0x7f.1`), which only the resolver can read. */
export function parseIpAddress(text: string): IpAddress | undefined {
  return isIP(text) === 0 ? undefined : ipaddr.parse(text);
}

/** `10.0.0.0/8`, or one address. Throws SPEC_INVALID naming `option`. */
export function parseIpRange(text: string, option: string): IpRange {
  const [address = '', prefix, ...rest] = text.split('/');
  const parsed = address.includes('%') ? undefined : parseIpAddress(address);
  const width = parsed?.kind() === 'ipv4' ? 32 : 128;
  const length = prefix === undefined ? width : /^\d{1,3}$/u.test(prefix) ? Number(prefix) : Number.NaN;
  if (parsed !== undefined && rest.length === 0 && length <= width) return [parsed, length];
  throw new SinkError(
    'SPEC_INVALID',
    `The egress policy's ${option}: expected a range such as "10.0.0.0/8" or "fd00::/8", found ${showText(text)}.`,
  );
}

export function inRange(address: IpAddress, [base, length]: IpRange): boolean {
  return address.kind() === base.kind() && address.match(base, length);
}

/** Where IPv6 carries an IPv4 address, and the byte at which that begins. */
const carriers: readonly (readonly [IpRange, number])[] = [
  ['::ffff:0:0/96', 12], // mapped
  ['::/96', 12], // compatible
  ['::ffff:0:0:0/96', 12], // translated (SIIT)
  ['64:ff9b::/96', 12], // NAT64
  ['64:ff9b:1::/48', 12], // NAT64 for local use
  ['2002::/16', 2], // 6to4
].map(([range, start]) => [parseIpRange(String(range), 'carriers'), Number(start)]);

const unspecifiedAndLoopback = parseIpRange('::/127', 'carriers');

/** The IPv4 address that an IPv6 one stands for; undefined where it stands for itself. */
export function carriedIpv4(address: IpAddress): IpAddress | undefined {
  if (address.kind() === 'ipv4' || inRange(address, unspecifiedAndLoopback)) return undefined;
  const carrier = carriers.find(([range]) => inRange(address, range));
  if (carrier === undefined) return undefined;
  const [, start] = carrier;
  return ipaddr.fromByteArray(address.toByteArray().slice(start, start + 4));
}
