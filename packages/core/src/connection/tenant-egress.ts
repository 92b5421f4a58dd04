import { networkInterfaces } from 'node:os';
import { checkOptions, oneOf } from '../contract/errors/check-options.ts';
import type { Egress } from '../contract/egress.ts';
import {
  buildEgressPolicy,
  builtInDenials,
  egressKinds,
  type Denial,
  type EgressPolicyOptions,
} from './egress-policy.ts';

export interface TenantEgressOptions extends EgressPolicyOptions {
  /**
   * Whether private ranges may be dialled: 10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7. Default `deny`: services and pods of the
   * cluster live there, and single ranges can be opened with `allow`.
   */
  readonly privateRanges?: 'deny' | 'allow';
}

const loopback: Denial = ['loopback: this pod and its sidecars', ['127.0.0.0/8', '::1/128']];
const privateRanges: Denial = [
  'private; the operator may open it with allow',
  [
    '10.0.0.0/8',
    '172.16.0.0/12',
    '192.168.0.0/16',
    '100.64.0.0/10',
    '192.0.0.0/24',
    '198.18.0.0/15',
    'fc00::/7',
    'fec0::/10',
  ],
];

/**
 * The policy for hosts whose tenants write the specs of sinks: denies what `createEgressPolicy` denies, and loopback, the networks that this
 * machine has addresses in when the function is called, and private ranges. `allow` opens what is to be open. Throws SPEC_INVALID.
 */
export function tenantEgress(options?: TenantEgressOptions): Egress {
  const { privateRanges: choice = 'deny', ...policy } = checkOptions<TenantEgressOptions>(
    options,
    { ...egressKinds, privateRanges: oneOf('deny', 'allow') },
    { of: 'The options of tenantEgress' },
  );
  return buildEgressPolicy(policy, [loopback, ['a network of this machine', ownNetworks()], ...privateDenials(choice)]);
}

/** The ranges that `tenantEgress` denies on every machine, for those who judge an address far from where it is dialled. */
export function tenantDenials(choice: 'deny' | 'allow' = 'deny'): readonly string[] {
  return [...builtInDenials, loopback, ...privateDenials(choice)].flatMap(([, ranges]) => ranges);
}

function privateDenials(choice: TenantEgressOptions['privateRanges']): readonly Denial[] {
  return choice === 'deny' ? [privateRanges] : [];
}

function ownNetworks(): readonly string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return addresses.map(({ cidr, address }) => (cidr ?? address).replace(/%[^/]*/u, ''));
}
