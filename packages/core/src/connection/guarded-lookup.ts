import type { LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { Egress } from '../contract/egress.ts';

/** A lookup that yields allowed addresses only; where a name has none, it fails with EGRESS_DENIED of the first. */
export function guardLookup(resolve: LookupFunction, check: Egress['check']): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, result, family) => {
      if (error !== null) return callback(error, '');
      try {
        const [first, ...others] = allowedOf(hostname, addressesOf(result, family), check);
        if (options.all === true) callback(null, [first, ...others]);
        else callback(null, first.address, first.family);
      } catch (denied) {
        callback(denied as NodeJS.ErrnoException, '');
      }
    });
  };
}

function addressesOf(result: string | LookupAddress[], family: number | undefined): readonly LookupAddress[] {
  return typeof result === 'string' ? [{ address: result, family: family ?? isIP(result) }] : result;
}

function allowedOf(
  hostname: string,
  addresses: readonly LookupAddress[],
  check: Egress['check'],
): [LookupAddress, ...LookupAddress[]] {
  let denial: unknown;
  const allowed = addresses.filter(({ address }) => {
    try {
      check(address, hostname);
      return true;
    } catch (error) {
      denial ??= error;
      return false;
    }
  });
  const [first, ...others] = allowed;
  if (first !== undefined) return [first, ...others];
  throw (
    denial ??
    Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), {
      code: 'ENOTFOUND',
      syscall: 'getaddrinfo',
      hostname,
    })
  );
}
