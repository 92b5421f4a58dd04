import { BlockList, isIP } from 'node:net';
import { Environment } from '@marcbachmann/cel-js';
import type { AdmissionPolicy } from './generate-policy.ts';

/** `cidr(…)` as CEL of Kubernetes knows it, by Node's own list of addresses. */
class Cidr {
  readonly family: 4 | 6;
  readonly list = new BlockList();

  constructor(range: string) {
    const [base = '', bits] = range.split('/');
    this.family = isIP(base) === 4 ? 4 : 6;
    this.list.addSubnet(base, Number(bits), this.family === 4 ? 'ipv4' : 'ipv6');
  }

  containsIP(address: string): boolean {
    return isIP(address) === this.family && this.list.check(address, this.family === 4 ? 'ipv4' : 'ipv6');
  }
}

const ranges = new Map<string, Cidr>();

function cidr(range: string): Cidr {
  const known = ranges.get(range) ?? new Cidr(range);
  ranges.set(range, known);
  return known;
}

const mapped = new BlockList();
mapped.addSubnet('::ffff:0:0', 96, 'ipv6');

const environment = new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false })
  .registerType('Cidr', Cidr)
  // As Kubernetes has it: without zones, without addresses of IPv4 that are mapped into IPv6.
  .registerFunction(
    'isIP(string): bool',
    (text: string) => isIP(text) === 4 || (isIP(text) === 6 && !text.includes('%') && !mapped.check(text, 'ipv6')),
  )
  .registerFunction('cidr(string): Cidr', cidr)
  .registerFunction('Cidr.containsIP(string): bool', (range: Cidr, address: string) => range.containsIP(address));

interface Written {
  readonly matchConditions: readonly { readonly expression: string }[];
  readonly validations: readonly { readonly expression: string; readonly message: string; readonly reason: string }[];
}

export interface Asked {
  readonly object: unknown;
  readonly oldObject?: unknown;
  readonly operation?: 'CREATE' | 'UPDATE';
}

/** Evaluates a policy as an API server does: the message of the first rule that is broken, undefined where none is or where nothing is asked. */
export function evaluatorOf({ policy }: Pick<AdmissionPolicy, 'policy'>): (asked: Asked) => string | undefined {
  const { matchConditions, validations } = policy['spec'] as Written;
  const conditions = matchConditions.map(({ expression }) => environment.parse(expression));
  const rules = validations.map(({ expression, message }) => ({ holds: environment.parse(expression), message }));
  return ({ object, oldObject = {}, operation = 'CREATE' }) => {
    const scope = { object, oldObject, request: { operation } };
    if (!conditions.every((condition) => condition(scope) === true)) return undefined;
    return rules.find(({ holds }) => holds(scope) !== true)?.message;
  };
}
