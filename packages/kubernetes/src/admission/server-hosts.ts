import { BlockList, isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { celText } from '../crds/cel.ts';
import { lowerAscii } from './secret-texts.ts';

/** Ranges of IPv6 that carry an address of IPv4: the one that is meant is to be written itself. */
const carriers = ['::/96', '::ffff:0:0/96', '::ffff:0:0:0/96', '64:ff9b::/96', '64:ff9b:1::/48', '2002::/16'] as const;

/** Of a host that is no address as CEL and Node read one: a number in its last part is one for resolvers, and nothing else holds these signs. */
const oddHost = String.raw`[ \t\r\n%:]|(^|[.])([0-9]+|0x[0-9a-f]*)[.]*$`;
const localhost = String.raw`(^|[.])localhost[.]*$`;

/** Which addresses a sink may not call. */
export interface AddressJudge {
  /** Asked of plain addresses alone: no names, no odd spellings. */
  readonly isDenied: (address: string) => boolean;
}

/** Whether a text that names servers (hosts, `host:port` or URLs, one or several) names one that may not be called, as far as its letters say. */
export function namesDeniedHost(text: string, judge: AddressJudge): boolean {
  return text.includes('\\') || text.split(',').some((one) => isDeniedHost(hostOf(one), judge));
}

/** A host in letters of any script is what a resolver is asked, too. */
function isDeniedHost(host: string, judge: AddressJudge): boolean {
  return isDeniedAscii(host, judge) || (/[^ -~]/u.test(host) && isDeniedAscii(domainToASCII(host), judge));
}

function isDeniedAscii(host: string, { isDenied }: AddressJudge): boolean {
  if (isIP(host) !== 0 && !host.includes('%')) return carriesAnother(host) || isDenied(host);
  return new RegExp(oddHost, 'u').test(host) || (new RegExp(localhost, 'u').test(host) && isDenied('127.0.0.1'));
}

function hostOf(text: string): string {
  const scheme = text.indexOf('://');
  const [authority = ''] = lowerAscii(scheme === -1 ? text : text.slice(scheme + 3)).split(/[/?#]/u, 1);
  const server = authority.slice(authority.lastIndexOf('@') + 1);
  const [host = ''] = server.startsWith('[')
    ? server.slice(1).split(']', 1)
    : server.indexOf(':') === server.lastIndexOf(':')
      ? server.split(':', 1)
      : [server];
  return host;
}

const carrying = new BlockList();
for (const range of carriers) {
  const [base = '', bits] = range.split('/');
  carrying.addSubnet(base, Number(bits), 'ipv6');
}

function carriesAnother(address: string): boolean {
  return isIP(address) === 6 && carrying.check(address, 'ipv6') && !itself.check(address, 'ipv6');
}

/** `::` and `::1` carry nothing. */
const itself = new BlockList();
itself.addSubnet('::', 127, 'ipv6');

/** Ranges by which a policy judges, as `tenantEgress` does: what is in `allow` goes before all else. */
export interface DeniedRanges {
  readonly deny: readonly string[];
  readonly allow: readonly string[];
  readonly allowOnly?: readonly string[];
  readonly isDenied: AddressJudge['isDenied'];
}

/** `namesDeniedHost` in CEL. It knows no letters but those of ASCII. */
export function celNamesDeniedHost(text: string, ranges: DeniedRanges): string {
  const rest = 'one.contains("://") ? one.substring(one.indexOf("://") + 3) : one';
  const authority = `(${rest}).lowerAscii().split("/")[0].split("?")[0].split("#")[0]`;
  const host =
    'at.startsWith("[") ? at.substring(1).split("]")[0] : at.indexOf(":") == at.lastIndexOf(":") ? at.split(":")[0] : at';
  // CEL has no variables but those of a macro: a list of one gives its element a name.
  return (
    `(${text}.contains("\\\\") || ${text}.split(",").exists(one, [${authority}].exists(authority, ` +
    `[authority.substring(authority.lastIndexOf("@") + 1)].exists(at, [${host}].exists(host, ${celIsDenied(ranges)})))))`
  );
}

function celIsDenied({ deny, allow, allowOnly, isDenied }: DeniedRanges): string {
  const within = (ranges: readonly string[]): string =>
    `[${ranges.map(celText).join(', ')}].exists(range, cidr(range).containsIP(host))`;
  const carriesOther = `host.contains(":") && ${within(carriers.filter((range) => !range.startsWith('::ffff:0:0/')))} && !${within(['::/127'])}`;
  const verdicts = [
    ...(deny.length === 0 ? [] : [within(deny)]),
    ...(allowOnly === undefined ? [] : [allowOnly.length === 0 ? 'true' : `!${within(allowOnly)}`]),
  ].join(' || ');
  const judged = verdicts === '' ? 'false' : `(${verdicts})`;
  const address = `${carriesOther} || ${allow.length === 0 ? judged : `!${within(allow)} && ${judged}`}`;
  const names = isDenied('127.0.0.1') ? [oddHost, localhost] : [oddHost];
  return `isIP(host) ? (${address}) : (${names.map((form) => `host.matches(${celText(form)})`).join(' || ')})`;
}
