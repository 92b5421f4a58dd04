import { lookup as dnsLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { Egress } from '../contract/egress.ts';
import { SinkError } from '../contract/errors.ts';
import { dial } from './dial.ts';
import { guardLookup } from './guarded-lookup.ts';
import { GuardedSocket } from './guarded-socket.ts';
import { carriedIpv4, inRange, parseIpAddress, parseIpRange, type IpRange } from './ip-address.ts';
import { showText } from '../contract/show-value.ts';

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

/** Addresses at which no store lives and from which secrets leak. Loopback and private ranges are left open: databases and sidecars live there. */
const builtIn: readonly (readonly [reason: string, ranges: readonly string[]])[] = [
  ['link-local, where cloud metadata lives', ['169.254.0.0/16', 'fe80::/10']],
  [
    'cloud metadata',
    [
      '100.100.100.200',
      '168.63.129.16',
      '192.0.0.192',
      'fd00:ec2::254',
      'fd20:ce::254',
      'fd00:c1::a9fe:a9fe',
      'fd00:42::42',
    ],
  ],
  ['unspecified', ['0.0.0.0/8', '::/128']],
  ['multicast', ['224.0.0.0/4', 'ff00::/8']],
  ['reserved or broadcast', ['240.0.0.0/4']],
];

/** A policy that resolves each name once and dials exactly the address it checked. Throws SPEC_INVALID for a range it cannot read. */
export function createEgressPolicy(options: EgressPolicyOptions = {}): Egress {
  const check = createCheck(options);
  const lookup = guardLookup(options.lookup ?? dnsLookup, check);
  const socket = (): GuardedSocket => new GuardedSocket({ check, lookup });
  return Object.freeze({ check, lookup, socket, dial: (target) => dial(socket, target) } satisfies Egress);
}

function createCheck({ deny = [], allow = [], allowOnly }: EgressPolicyOptions): Egress['check'] {
  const parse = (ranges: readonly string[], option: string): readonly IpRange[] =>
    ranges.map((range) => parseIpRange(range, option));
  const allowed = parse(allow, 'allow');
  const only = allowOnly === undefined ? undefined : parse(allowOnly, 'allowOnly');
  const denials = [
    ...builtIn.map(([reason, ranges]) => ({ reason, ranges: parse(ranges, 'deny') })),
    { reason: 'denied by the host', ranges: parse(deny, 'deny') },
  ];

  return (address, host) => {
    const denied = (reason: string): SinkError => {
      const origin = host === undefined || host === address ? '' : `, which ${showText(host)} resolves to`;
      return new SinkError(
        'EGRESS_DENIED',
        `The egress policy of this operator forbids ${showText(address)} (${reason})${origin}.`,
      );
    };
    const dialled = parseIpAddress(address);
    if (dialled === undefined) throw denied('not an IP address');
    const carried = carriedIpv4(dialled);
    // An allowed carrier, such as the NAT64 prefix, does not allow what it carries.
    if (allowed.some((range) => inRange(carried ?? dialled, range))) return;
    const forms = carried === undefined ? [dialled] : [dialled, carried];
    const within = (ranges: readonly IpRange[]): boolean =>
      ranges.some((range) => forms.some((form) => inRange(form, range)));
    const denial = denials.find(({ ranges }) => within(ranges));
    if (denial !== undefined) throw denied(denial.reason);
    if (only !== undefined && !within(only)) throw denied('outside the ranges that it allows');
  };
}
