import type { Egress } from '@kollect/core';
import type { AddressJudge } from './server-hosts.ts';

/** The addresses that an egress policy forbids, in whatever way it fails. */
export function judgeBy({ check }: Pick<Egress, 'check'>): AddressJudge {
  return {
    isDenied: (address) => {
      try {
        check(address);
        return false;
      } catch {
        return true;
      }
    },
  };
}
