import { isIP } from 'node:net';
import type { Egress } from '@kollect/core';

/** What the name resolves to, as far as the policy allows; throws EGRESS_DENIED where nothing is left. */
export async function allowedAddresses(egress: Egress, host: string): Promise<readonly string[]> {
  const addresses = isIP(host) === 0 ? await lookupAll(egress, host) : [host];
  for (const address of addresses) egress.check(address, host);
  return addresses;
}

function lookupAll(egress: Egress, host: string): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    egress.lookup(host, { all: true }, (error, found) => {
      if (error === null) resolve(typeof found === 'string' ? [found] : found.map(({ address }) => address));
      else reject(error);
    });
  });
}
