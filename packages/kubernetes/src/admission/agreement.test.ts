import { expect, test } from '@jest/globals';
import { createEgressPolicy, type Egress } from '@kollect/core';
import { tenantDenials } from '@kollect/core/authoring';
import { fuzz, fuzzTimeoutMs } from '../../../core/src/contract/fuzz.fixture.ts';
import { resource } from '../resources/resources.fixture.ts';
import { createAdmissionHandler } from './admission-handler.ts';
import { generateAdmissionPolicy, type AdmissionPolicyOptions } from './generate-policy.ts';
import { evaluatorOf } from './policy-in-cel.fixture.ts';
import { randomSinkSpec } from './random-sinks.fixture.ts';
import { registry } from './registry.fixture.ts';
import { review } from './reviews.fixture.ts';

type EgressOptions = NonNullable<AdmissionPolicyOptions['egress']>;

/** `tenantEgress` on a machine without networks: a policy does not know those of the operator's. */
function egressAnywhere({ privateRanges, deny = [], ...rest }: EgressOptions): Egress {
  return createEgressPolicy({ ...rest, deny: [...tenantDenials(privateRanges), ...deny] });
}

const choices: readonly { readonly allowedTypes?: readonly string[]; readonly egress: EgressOptions }[] = [
  { egress: {} },
  { egress: { privateRanges: 'allow' }, allowedTypes: ['kafka', 'my-hooks'] },
  { egress: { allow: ['127.0.0.1', '10.1.0.0/16', '64:ff9b::/96'], deny: ['203.0.113.0/24', '2001:db8::/32'] } },
  {
    egress: { allowOnly: ['203.0.113.0/24', '10.0.0.0/8'], privateRanges: 'allow' },
    allowedTypes: ['nats', 'my-hooks', 'kafka'],
  },
  { egress: { allowOnly: [] } },
];

const both = choices.map(({ allowedTypes, egress }) => {
  const types = allowedTypes === undefined ? {} : { allowedTypes };
  const generated = generateAdmissionPolicy({ registry, egress, ...types });
  const { validations } = generated.policy['spec'] as { readonly validations: readonly { readonly message: string }[] };
  return {
    evaluate: evaluatorOf(generated),
    handle: createAdmissionHandler({ registry, egress: egressAnywhere(egress), ...types }),
    messages: validations.map(({ message }) => message),
  };
});

test(
  'policy and handler say the same of 10 000 sinks',
  async () => {
    const counts = new Map<string, number>();
    await fuzz(10_000, (random, round) => {
      const { evaluate, handle, messages } = both[round % both.length] as (typeof both)[0];
      const spec = randomSinkSpec(random);
      const metadata = random(20) === 0 ? { deletionTimestamp: '2026-01-31T12:00:00Z' } : {};
      const before = random(10) === 0 ? spec : randomSinkSpec(random);
      const update = {
        operation: 'UPDATE',
        object: resource('KollectSink', spec, metadata),
        oldObject: resource('KollectSink', JSON.parse(JSON.stringify(before))),
      } as const;
      const isUpdate = random(3) === 0;
      const byPolicy = evaluate(isUpdate ? update : { object: resource('KollectSink', spec) });
      const { response } = handle(review('KollectSink', spec, isUpdate ? update : {}));
      const message = response.status?.message ?? '';
      // What the handler says more is what the parsers know.
      const byHandler = messages.find((one) => message.endsWith(`is refused: ${one}`));
      if (byHandler !== byPolicy) expect([spec, byHandler]).toEqual([spec, byPolicy]);
      counts.set(byPolicy ?? 'passes', (counts.get(byPolicy ?? 'passes') ?? 0) + 1);
    });
    // Each rule was broken, but for those of fields that no spec here has, and many were not.
    const rules = new Set(both.flatMap(({ messages }) => messages));
    const never = [...rules].filter((rule) => !counts.has(rule));
    expect(never.filter((rule) => !/schema|applicationName|kafka\.tls|nats\.tls|clientId|Prefix/u.test(rule))).toEqual(
      [],
    );
    expect(counts.get('passes')).toBeGreaterThan(1_000);
  },
  4 * fuzzTimeoutMs,
);
