import { tenantEgress, type SinkRegistry, type TenantEgressOptions } from '@kollect/core';
import { anObject, checkOptions, listOf, oneOf, required, someText, tenantDenials } from '@kollect/core/authoring';
import { admissionRules, type AdmissionRule } from './admission-rules.ts';
import { judgeBy } from './denied-address.ts';
import { matchConditions, sinksAlone } from './match-conditions.ts';
import type { DeniedRanges } from './server-hosts.ts';

export interface AdmissionPolicyOptions {
  /** Its types are those that sinks may be of. */
  readonly registry: SinkRegistry;
  /** Fewer of them. Default: all. */
  readonly allowedTypes?: readonly string[];
  /** As for `tenantEgress`, but that no machine's own networks are known. Default: what `tenantEgress()` denies anywhere. */
  readonly egress?: Omit<TenantEgressOptions, 'lookup'>;
  /** Name of the policy and its binding. Default `kollect-sinks`. */
  readonly name?: string;
  /** What becomes of a sink that breaks a rule. Default `Deny`. */
  readonly validationActions?: readonly ('Deny' | 'Warn' | 'Audit')[];
  /** What becomes of a sink where a rule cannot be evaluated. Default `Fail`: it is refused. */
  readonly failurePolicy?: 'Fail' | 'Ignore';
}

/** An object to apply. */
export interface AdmissionObject<Kind extends string> {
  readonly apiVersion: 'admissionregistration.k8s.io/v1';
  readonly kind: Kind;
  readonly metadata: { readonly name: string };
  readonly [field: string]: unknown;
}

export interface AdmissionPolicy {
  readonly policy: AdmissionObject<'ValidatingAdmissionPolicy'>;
  /** For all namespaces. */
  readonly binding: AdmissionObject<'ValidatingAdmissionPolicyBinding'>;
}

/**
 * What CEL can say of sinks, as a policy that the API server checks by itself: no certificate, no server that could be away. Throws SPEC_INVALID. Asks
 * of Kubernetes 1.31, which knows addresses in CEL.
 */
export function generateAdmissionPolicy(options: AdmissionPolicyOptions): AdmissionPolicy {
  const {
    registry,
    allowedTypes,
    egress = {},
    name = 'kollect-sinks',
    validationActions = ['Deny'],
    failurePolicy = 'Fail',
  } = checkOptions<AdmissionPolicyOptions>(
    options,
    {
      registry: required(anObject),
      allowedTypes: listOf(someText),
      egress: anObject,
      name: someText,
      validationActions: listOf(oneOf('Deny', 'Warn', 'Audit')),
      failurePolicy: oneOf('Fail', 'Ignore'),
    },
    { of: 'The options of generateAdmissionPolicy' },
  );
  const ranges = deniedRanges(egress);
  const rules = admissionRules({ registry, allowedTypes });
  const apiVersion = 'admissionregistration.k8s.io/v1';
  return {
    policy: {
      apiVersion,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name },
      spec: {
        failurePolicy,
        matchConstraints: { resourceRules: [sinksAlone] },
        matchConditions,
        validations: rules.map((rule) => validationOf(rule, ranges)),
      },
    },
    binding: {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name },
      spec: { policyName: name, validationActions },
    },
  };
}

function validationOf({ kind, message, celIsBroken }: AdmissionRule, ranges: DeniedRanges) {
  const reason = kind === 'forbidden' ? 'Forbidden' : 'Invalid';
  return { expression: `!(${celIsBroken(ranges)})`, message, reason } as const;
}

function deniedRanges(egress: NonNullable<AdmissionPolicyOptions['egress']>): DeniedRanges {
  const { deny = [], allow = [], allowOnly, privateRanges } = egress;
  return {
    deny: [...tenantDenials(privateRanges), ...deny].map(withPrefix),
    allow: allow.map(withPrefix),
    ...(allowOnly === undefined ? {} : { allowOnly: allowOnly.map(withPrefix) }),
    ...judgeBy(tenantEgress(egress)),
  };
}

/** One address as a range, which is all that CEL takes. */
function withPrefix(range: string): string {
  if (range.includes('/')) return range;
  return `${range}/${range.includes(':') ? '128' : '32'}`;
}
