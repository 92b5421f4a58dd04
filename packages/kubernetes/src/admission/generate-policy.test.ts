import { describe, expect, test } from '@jest/globals';
import { kafkaSpec, resource } from '../resources/resources.fixture.ts';
import { generateAdmissionPolicy, type AdmissionPolicyOptions } from './generate-policy.ts';
import { generateWebhookConfiguration, type WebhookConfigurationOptions } from './generate-webhook.ts';
import { evaluatorOf } from './policy-in-cel.fixture.ts';
import { registry } from './registry.fixture.ts';

const specOf = (object: { readonly [field: string]: unknown }) => object['spec'] as Readonly<Record<string, unknown>>;

describe('the policy', () => {
  const generated = generateAdmissionPolicy({ registry });

  test('looks at sinks alone, when they are made or changed', () => {
    expect(specOf(generated.policy)).toMatchObject({
      failurePolicy: 'Fail',
      matchConstraints: {
        resourceRules: [
          {
            apiGroups: ['kollect.dev'],
            apiVersions: ['v1alpha1'],
            operations: ['CREATE', 'UPDATE'],
            resources: ['kollectsinks'],
          },
        ],
      },
    });
    expect(specOf(generated.binding)).toEqual({ policyName: 'kollect-sinks', validationActions: ['Deny'] });
  });

  test('is as small as an object of the API server has to be', () => {
    expect(JSON.stringify(generated).length).toBeLessThan(100_000);
  });

  test('asks of no type that is not allowed', () => {
    const { policy } = generateAdmissionPolicy({ registry, allowedTypes: ['kafka'] });
    expect(JSON.stringify(policy)).not.toMatch(/nats|postgres|my-hooks/u);
  });

  test.each<[string, AdmissionPolicyOptions['egress'], string, boolean]>([
    ['a private range', {}, '10.1.2.3', false],
    ['one that is open', { privateRanges: 'allow' }, '10.1.2.3', true],
    ['one address that is open', { allow: ['10.1.2.3'] }, '10.1.2.3', true],
    ['its neighbour', { allow: ['10.1.2.3'] }, '10.1.2.4', false],
    ['metadata, whatever is open', { privateRanges: 'allow' }, '169.254.169.254', false],
    ['what the host denies', { deny: ['203.0.113.0/24'] }, '203.0.113.9', false],
    ['what is outside of all', { allowOnly: ['203.0.113.0/24'] }, '198.51.100.1', false],
    ['what is inside', { allowOnly: ['203.0.113.0/24'] }, '203.0.113.9', true],
    ['a sidecar that is open', { allow: ['127.0.0.1'] }, 'localhost', true],
  ])('%s: %j', (_, egress = {}, host, isTaken) => {
    const evaluate = evaluatorOf(generateAdmissionPolicy({ registry, egress }));
    const spec = { ...kafkaSpec, kafka: { ...kafkaSpec.kafka, brokers: [`${host}:9092`] } };
    expect(evaluate({ object: resource('KollectSink', spec) }) === undefined).toBe(isTaken);
  });

  test.each<[string, object, string]>([
    ['a typo', { registry, egres: {} }, 'did you mean "egress"'],
    ['a type that nobody registered', { registry, allowedTypes: ['oracle'] }, 'oracle'],
    ['a range that is none', { registry, egress: { deny: ['10/8'] } }, 'expected a range'],
    ['a typo of egress', { registry, egress: { privateRange: 'allow' } }, 'did you mean "privateRanges"'],
    ['an action that there is not', { registry, validationActions: ['Refuse'] }, 'validationActions'],
  ])('%s is refused', (_, options, message) => {
    expect(() => generateAdmissionPolicy(options as AdmissionPolicyOptions)).toThrow(message);
  });
});

describe('the configuration of the webhook', () => {
  const service = { namespace: 'kollect-system', name: 'admission' };
  const caBundle = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  const webhookOf = (options: WebhookConfigurationOptions) => generateWebhookConfiguration(options)['webhooks'];

  test('never asks of deletions and statuses, and not for long', () => {
    expect(webhookOf({ service, caBundle })).toEqual([
      expect.objectContaining({
        timeoutSeconds: 5,
        failurePolicy: 'Fail',
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        matchConditions: specOf(generateAdmissionPolicy({ registry }).policy)['matchConditions'],
        clientConfig: { service, caBundle: Buffer.from(caBundle).toString('base64') },
        rules: [
          {
            apiGroups: ['kollect.dev'],
            apiVersions: ['v1alpha1'],
            operations: ['CREATE', 'UPDATE'],
            resources: [
              'kollectsinks',
              'kollectinventories',
              'kollecttargets',
              'kollectprofiles',
              'kollectconnectiontests',
            ],
            scope: 'Namespaced',
          },
        ],
      }),
    ]);
    expect(webhookOf({ url: 'https://a.example/admit', failurePolicy: 'Ignore' })).toEqual([
      expect.objectContaining({ failurePolicy: 'Ignore', clientConfig: { url: 'https://a.example/admit' } }),
    ]);
  });

  test.each<[string, object, string]>([
    ['neither', {}, 'give one of url and service'],
    ['both', { url: 'https://a', service }, 'give one of url and service'],
    ['http', { url: 'http://a.example' }, 'expected https'],
    ['a user', { url: 'https://geheim@a.example' }, 'expected https'],
    ['a query', { url: 'https://a.example?b' }, 'expected https'],
    ['no PEM', { service, caBundle: 'AAAA' }, 'certificates as PEM'],
    ['a port that is none', { service: { ...service, port: 0 } }, 'a port'],
    ['a service without a name', { service: { namespace: 'a' } }, 'name is missing'],
  ])('%s is refused', (_, options, message) => {
    expect(() => generateWebhookConfiguration(options as WebhookConfigurationOptions)).toThrow(message);
  });
});
