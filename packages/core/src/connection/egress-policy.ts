import { lookup as dnsLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { aFunction, aText, checkOptions, listOf, type OptionKinds } from '../contract/errors/check-options.ts';
import type { Egress } from '../contract/egress.ts';
import { SinkError } from '../contract/errors/errors.ts';
import { showText } from '../contract/errors/show-value.ts';
import { dial } from './dial.ts';
import { guardLookup } from './guarded-lookup.ts';
import { GuardedSocket } from './guarded-socket.ts';
import { carriedIpv4, inRange, parseIpAddress, parseIpRange, type IpRange } from './ip-address.ts';

export interface EgressPolicyOptions {
  /** Ranges denied in addition to the built-in ones, such as `10.96.0.0/12`. */
  readonly deny?: readonly string[];
  /** Ranges that may be dialled whatever else says no. */
  readonly allow?: readonly string[];
  /** Where given, nothing outside these ranges (and `allow`) may be dialled; the built-in denials still hold inside them. */
  readonly allowOnly?: readonly string[];
  /** How names become addresses. Default `dns.lookup`; called with `{ all: true }`. */
  readonly lookup?: LookupFunction;
}

/** Ranges in words that say why they are denied. */
export type Denial = readonly [reason: string, ranges: readonly string[]];

/** Addresses at which no store lives and from which secrets leak. Loopback and private ranges are left open: databases and sidecars live there. */
export const builtInDenials: readonly Denial[] = [
  ['link-local, where cloud metadata lives', ['169.254.0.0/16', 'fe80::/10']],
  [
    'cloud metadata',
    [
      '100.100.100.200', // Alibaba
      '100.96.0.96', // Volcengine
      '168.63.129.16', // Azure
      '192.0.0.192', // Oracle
      'fd00:ec2::/32', // AWS: metadata, DNS, time, and the credentials of EKS Pod Identity
      'fd20:ce::/32', // Google
      'fd00:c1::/32', // Oracle
      'fd00:42::42', // Scaleway
    ],
  ],
  ['unspecified', ['0.0.0.0/8', '::/128']],
  ['multicast', ['224.0.0.0/4', 'ff00::/8']],
  ['reserved or broadcast', ['240.0.0.0/4']],
];

export const egressKinds: OptionKinds<EgressPolicyOptions> = {
  deny: listOf(aText),
  allow: listOf(aText),
  allowOnly: listOf(aText),
  lookup: aFunction,
};

/**
 * A policy that resolves each name once and dials exactly the address it checked. Throws SPEC_INVALID for a range it cannot read and an option
 * it does not know. Where tenants write the specs of sinks, use `tenantEgress`.
 */
export function createEgressPolicy(options?: EgressPolicyOptions): Egress {
  return buildEgressPolicy(checkOptions(options, egressKinds, { of: 'The options of createEgressPolicy' }), []);
}

/** A policy of options that were checked, with more denials. */
export function buildEgressPolicy(options: EgressPolicyOptions, more: readonly Denial[]): Egress {
  const verdict = createVerdict(options, more);
  const resolve = options.lookup ?? dnsLookup;
  const policyFor = (who: string | undefined): Egress => {
    const check: Egress['check'] = (address, host) => {
      const reason = verdict(address);
      if (reason === undefined) return;
      const origin = host === undefined || host === address ? '' : `, which ${showText(host)} resolves to`;
      const asker = who === undefined ? '' : ` to ${who}`;
      throw new SinkError(
        'EGRESS_DENIED',
        `The egress policy of this operator forbids ${showText(address)} (${reason})${origin}${asker}.`,
      );
    };
    const lookup = guardLookup(resolve, check);
    const socket = (): GuardedSocket => new GuardedSocket({ check, lookup });
    return Object.freeze({
      check,
      lookup,
      socket,
      dial: (target) => dial(socket, target),
      for: policyFor,
    } satisfies Egress);
  };
  return policyFor(undefined);
}

/** Why an address may not be dialled; undefined where it may. */
function createVerdict(
  { deny = [], allow = [], allowOnly }: EgressPolicyOptions,
  more: readonly Denial[],
): (address: string) => string | undefined {
  const parse = (ranges: readonly string[], option: string): readonly IpRange[] =>
    ranges.map((range) => parseIpRange(range, option));
  const allowed = parse(allow, 'allow');
  const only = allowOnly === undefined ? undefined : parse(allowOnly, 'allowOnly');
  const denials = [...builtInDenials, ...more, ['denied by the host', deny] as const].map(([reason, ranges]) => ({
    reason,
    ranges: parse(ranges, 'deny'),
  }));

  return (address) => {
    const dialled = parseIpAddress(address);
    if (dialled === undefined) return 'not an IP address';
    const carried = carriedIpv4(dialled);
    // Allowing a range that embeds IPv4 addresses, such as the NAT64 prefix, does not allow the embedded addresses.
    if (allowed.some((range) => inRange(carried ?? dialled, range))) return undefined;
    const forms = carried === undefined ? [dialled] : [dialled, carried];
    const within = (ranges: readonly IpRange[]): boolean =>
      ranges.some((range) => forms.some((form) => inRange(form, range)));
    const denial = denials.find(({ ranges }) => within(ranges));
    if (denial !== undefined) return denial.reason;
    return only === undefined || within(only) ? undefined : 'outside the ranges that it allows';
  };
}
