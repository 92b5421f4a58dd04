import { isIP } from 'node:net';

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** Host and port of `host:port` or `[address]:port`; undefined where the text is neither. */
export function parseBroker(text: string): BrokerAddress | undefined {
  const [, address, name, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([\p{L}\p{N}._-]+)):(\d{1,5})$/u.exec(text) ?? [];
  const port = Number(digits);
  if (!(port >= 1 && port <= 65_535)) return undefined;
  if (address !== undefined) return isIP(address) === 6 ? { host: address, port } : undefined;
  return name === undefined ? undefined : { host: name, port };
}
