import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  apiVersion,
  createAdmissionHandler,
  generateAdmissionPolicy,
  generateCrds,
  generateWebhookConfiguration,
  parseSink,
} from '@kollect/kubernetes';
import { fuzz } from '../../packages/core/src/contract/fuzz.fixture.ts';
import { randomSinkSpec } from '../../packages/kubernetes/src/admission/random-sinks.fixture.ts';
import { hooksSink, registry } from '../../packages/kubernetes/src/admission/registry.fixture.ts';
import { review } from '../../packages/kubernetes/src/admission/reviews.fixture.ts';
import { kafkaSpec, natsSpec, postgresSpec } from '../../packages/kubernetes/src/resources/resources.fixture.ts';
import { createAuthority } from '../servers/certificates.ts';
import { startKubernetes, type KubernetesServer } from '../servers/index.ts';
import { applyCrds, createKubectl, pathOf, type Answer, type Kubectl } from '../support/kubernetes.ts';
import { waitUntil } from '../support/wait-until.ts';

let server: KubernetesServer;
let kubectl: Kubectl;
let namespace: string;
let sinks: string;

beforeAll(async () => {
  server = await startKubernetes();
  kubectl = createKubectl(server);
  await applyCrds(kubectl, registry);
  namespace = await kubectl.namespace();
  sinks = pathOf(apiVersion, 'kollectsinks', namespace);
}, 180_000);
afterAll(() => server.stop());

const kafka = (change: object): object => ({ ...kafkaSpec, kafka: { ...kafkaSpec.kafka, ...change } });
const hooks = (endPoint: string, more: object = {}): object => ({
  type: hooksSink.type,
  [hooksSink.type]: { 'end-point': endPoint, ...more },
});
const privateKey = ['-----BEGIN EC', 'PRIVATE KEY-----'].join(' ');

const good: readonly object[] = [
  kafkaSpec,
  natsSpec,
  { ...kafkaSpec, ca: { bundle: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' } },
  kafka({ brokers: ['8.8.8.8:9092', '[2001:4860::1]:9092'], headers: { version: '1.2', env: '127.0.0.1' } }),
  hooks('https://hooks.example/a', { import: [{ url: 'b.example:1' }, {}] }),
];

const badHosts = [
  '127.0.0.1',
  '169.254.169.254',
  '10.0.0.1',
  '0.0.0.0',
  '2852039166',
  '0xa9.0xfe.0xa9.0xfe',
  '0177.0.0.1',
  '127.1',
  '169.254.169.254.',
  'localhost',
  'LocalHost.',
  '[::1]',
  '[::]',
  '[fd00:ec2::254]',
  '[fe80::1]',
  '[fe80::1%eth0]',
  '[::ffff:127.0.0.1]',
  '[::ffff:a9fe:a9fe]',
  '[64:ff9b::a9fe:a9fe]',
  '[2002:a9fe:a9fe::]',
  '[::169.254.169.254]',
];

/** What both refuse, with the field that both name and the status that both answer. */
const bad: readonly (readonly [spec: object, field: string, status: 403 | 422])[] = [
  [postgresSpec, 'spec.type', 403],
  ...badHosts.map(
    (host) => [kafka({ brokers: ['kafka.shop:9093', `${host}:9092`] }), 'spec.kafka.brokers', 403] as const,
  ),
  ...badHosts.map((host) => [hooks(`https://x@${host}:1/a`), 'spec.my-hooks.end-point', 403] as const),
  [{ ...natsSpec, nats: { ...natsSpec.nats, servers: ['127.0.0.1'] } }, 'spec.nats.servers', 403],
  [
    hooks('a.example', { import: [{ url: 'b.example' }, { url: 'http://a\\@127.0.0.1' }] }),
    'spec.my-hooks.import.url',
    403,
  ],
  [kafka({ headers: { next: 'https://app:geheim@a.example/' } }), 'spec.kafka.headers', 422],
  [kafka({ headers: { 'X-Api-Key': 'geheim' } }), 'spec.kafka.headers', 422],
  [kafka({ clientId: `ghp_geheim${'x1'.repeat(10)}` }), 'spec.kafka.clientId', 422],
  [kafka({ clientId: 'host=db PassWord = geheim' }), 'spec.kafka.clientId', 422],
  [{ ...kafkaSpec, ca: { bundle: `${privateKey}\ngeheim` } }, 'spec.ca.bundle', 422],
  [hooks('a.example', { apiToken: 'geheim' }), 'spec.my-hooks.apiToken', 422],
  [hooks('a.example', { import: [{ labels: { password: 'geheim' } }] }), 'spec.my-hooks.import.labels', 422],
];
const allowedTypes = ['kafka', 'nats', 'my-hooks'];

const sink = (name: string, spec: object, metadata: object = {}) => ({
  apiVersion,
  kind: 'KollectSink',
  metadata: { name, namespace, ...metadata },
  spec,
});
const tryToMake = (spec: object): Promise<Answer> => kubectl.ask('POST', `${sinks}?dryRun=All`, sink('tried', spec));
const merge = (path: string, patch: object): Promise<Answer> =>
  kubectl.ask('PATCH', path, patch, { 'content-type': 'application/merge-patch+json' });
const worst = kafka({ brokers: ['127.0.0.1:9092'] });

/** An API server hears of a policy or a webhook a moment after it was applied. */
const untilRefused = (by: string): Promise<true> =>
  waitUntil(async () => String((await tryToMake(worst)).body.message).includes(by), {
    what: `${by} refuses`,
    timeoutMs: 30_000,
  });
const untilTaken = (): Promise<true> =>
  waitUntil(async () => (await tryToMake(worst)).status === 201, { what: 'nobody refuses', timeoutMs: 30_000 });

async function expectVerdicts(by: string): Promise<void> {
  for (const spec of good) expect([spec, (await tryToMake(spec)).body.message]).toEqual([spec, undefined]);
  for (const [spec, field, status] of bad) {
    const answer = await tryToMake(spec);
    expect([spec, answer.status, answer.body.message]).toEqual([spec, status, expect.stringContaining(`${field}: `)]);
    expect(answer.body.message).toContain(by);
    expect(answer.body.message).not.toContain('geheim');
  }
}

/** What must work for a sink that no rule would take: it was there before. */
async function expectOldOneFree(name: string): Promise<void> {
  const path = `${sinks}/${name}`;
  const condition = {
    type: 'Ready',
    status: 'False',
    reason: 'SpecInvalid',
    message: '',
    lastTransitionTime: '2026-01-31T12:00:00Z',
  };
  expect((await merge(`${path}/status`, { status: { conditions: [condition] } })).status).toBe(200);
  expect((await merge(path, { metadata: { labels: { seen: 'yes' } } })).status).toBe(200);
  await kubectl.delete(path);
  expect((await kubectl.get(path))?.metadata?.['deletionTimestamp']).toEqual(expect.any(String));
  // It is still at work, so that nobody may change where it leads unasked.
  expect((await merge(path, { spec: kafka({ brokers: ['127.0.0.2:9092'] }) })).status).toBeGreaterThanOrEqual(400);
  expect((await merge(path, { metadata: { finalizers: null } })).status).toBe(200);
  expect(await kubectl.get(path)).toBeUndefined();
}

const finalizers = ['kollect.dev/test'];

interface Validation {
  readonly expression: string;
  readonly message: string;
}

interface CrdWithSpec {
  readonly spec: {
    readonly versions: readonly [
      { readonly schema: { readonly openAPIV3Schema: { readonly properties: { readonly spec: object } } } },
    ];
  };
}

/** The largest of its type that CRD and handler take. */
const largest: readonly object[] = [
  kafka({
    brokers: Array.from(
      { length: 100 },
      (_, index) => `${'a'.repeat(60)}.${'b'.repeat(60)}.shop.svc:${String(index + 1)}`,
    ),
    headers: Object.fromEntries(Array.from({ length: 6 }, (_, index) => [`h${String(index)}`, 'x://a'.repeat(1_600)])),
  }),
  kafka({ brokers: Array.from({ length: 100 }, (_, index) => `[2001:4860:0:0:0:0:0:${String(index + 1)}]:9092`) }),
  { ...kafkaSpec, ca: { bundle: '-----BEGIN CERTIFICATE-----\n'.padEnd(260_000, 'A') } },
];

describe('the policy', () => {
  const { policy, binding } = generateAdmissionPolicy({ registry, allowedTypes });
  const remove = async (): Promise<void> => {
    const root = 'admissionregistration.k8s.io/v1';
    await kubectl.delete(pathOf(root, 'validatingadmissionpolicybindings', undefined, binding.metadata.name));
    await kubectl.delete(pathOf(root, 'validatingadmissionpolicies', undefined, policy.metadata.name));
  };
  afterAll(remove);

  test('is taken as it is, and refuses what it should with its own words', async () => {
    await kubectl.apply(sink('before', worst, { finalizers }));
    await kubectl.apply(policy);
    await kubectl.apply(binding);
    await untilRefused('ValidatingAdmissionPolicy');
    await expectVerdicts(`ValidatingAdmissionPolicy '${policy.metadata.name}'`);
  }, 120_000);

  test('has rules whose types are those of the schema', async () => {
    // A policy is checked by a controller that does not run here; rules of a CRD are checked by the same compiler when it is applied.
    const { validations } = policy['spec'] as { readonly validations: readonly Validation[] };
    const rules = validations
      .filter(({ expression }) => !expression.includes('dyn('))
      .map(({ expression, message }) => ({ rule: expression.replaceAll('object.spec', 'self'), message }));
    const [crd] = JSON.parse(
      JSON.stringify(generateCrds(registry)).replaceAll('kollect.dev', 'typed.kollect.dev'),
    ) as CrdWithSpec[];
    const schema = crd?.spec.versions[0].schema.openAPIV3Schema.properties.spec;
    Object.assign(schema ?? {}, {
      'x-kubernetes-validations': [...rules, { rule: 'self.kafka.topic == 5', message: 'wrong' }],
    });
    const { body } = await kubectl.ask(
      'POST',
      '/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All',
      crd,
    );
    const causes = (body['details'] as { readonly causes: readonly { readonly message: string }[] }).causes;
    // The one that is wrong on purpose; what the others would cost at most is asked of a CRD and not of a policy.
    expect(causes.map(({ message }) => message).filter((message) => !message.includes('cost'))).toEqual([
      expect.stringContaining("no matching overload for '_==_' applied to '(string, int)'"),
    ]);
  });

  test('takes the largest sinks, and says the same as the handler of 400 random ones', async () => {
    for (const spec of largest) expect((await tryToMake(spec)).body.message).toBeUndefined();
    const { validations } = policy['spec'] as { readonly validations: readonly Validation[] };
    const handle = createAdmissionHandler({ registry, allowedTypes });
    let refusals = 0;
    await fuzz(400, async (random) => {
      const spec = randomSinkSpec(random);
      const { body } = await tryToMake(spec);
      // What the CRD refuses, the policy never sees.
      if (body.message !== undefined && !body.message.includes('ValidatingAdmissionPolicy')) return;
      const { response } = handle(review('KollectSink', spec));
      const rule = validations.find(({ message }) => response.status?.message.endsWith(message) === true)?.message;
      expect([spec, body.message ?? '']).toEqual([spec, rule === undefined ? '' : expect.stringContaining(rule)]);
      if (rule !== undefined) refusals += 1;
    });
    expect(refusals).toBeGreaterThan(20);
  }, 120_000);

  test('leaves status, labels, deletion and finalizers of what was there before alone, and its spec not', async () => {
    const other = await merge(`${sinks}/before`, { spec: { kafka: { brokers: ['127.0.0.2:9092'] } } });
    expect([other.status, other.body.message]).toEqual([403, expect.stringContaining('spec.kafka.brokers: ')]);
    expect((await merge(`${sinks}/before`, { spec: { kafka: { brokers: ['kafka.shop:9092'] } } })).status).toBe(200);
    await remove();
    await untilTaken();
    await kubectl.apply(sink('before', worst, { finalizers }));
    await kubectl.apply(policy);
    await kubectl.apply(binding);
    await untilRefused('ValidatingAdmissionPolicy');
    await expectOldOneFree('before');
    await remove();
    await untilTaken();
  }, 120_000);
});

describe('the webhook', () => {
  const handle = createAdmissionHandler({ registry, allowedTypes });
  let webhook: Server;
  let port: number;
  let material: { readonly cert: string; readonly key: string };
  const asked: string[] = [];
  let lastBody = '';

  const listen = async (): Promise<void> => {
    webhook = createServer(material, (request, answer) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.once('end', () => {
        const body = Buffer.concat(chunks);
        lastBody = body.toString();
        asked.push((JSON.parse(lastBody) as { readonly request: { readonly operation: string } }).request.operation);
        answer.setHeader('content-type', 'application/json');
        answer.end(JSON.stringify(handle(body)));
      });
    });
    await new Promise<void>((resolve) => webhook.listen(port, '127.0.0.1', resolve));
    ({ port } = webhook.address() as AddressInfo);
  };
  const stop = async (): Promise<void> => {
    webhook.closeAllConnections();
    await new Promise((resolve) => webhook.close(resolve));
  };

  beforeAll(async () => {
    const authority = await createAuthority('Kollect test webhook');
    material = await authority.issue({ commonName: 'webhook', hosts: ['127.0.0.1'] });
    port = 0;
    await listen();
    await kubectl.apply(sink('old', worst, { finalizers }));
    await kubectl.apply(sink('older', worst));
    await kubectl.apply(
      generateWebhookConfiguration({ url: `https://127.0.0.1:${String(port)}/`, caBundle: authority.ca }),
    );
    await untilRefused('admission webhook');
  }, 120_000);
  afterAll(async () => {
    await kubectl.delete(
      pathOf('admissionregistration.k8s.io/v1', 'validatingwebhookconfigurations', undefined, 'kollect-sinks'),
    );
    await stop();
  });
  afterEach(() => {
    // Whatever is deleted, nobody asks.
    expect(asked).not.toContain('DELETE');
  });

  test('says the same as the policy, and more', async () => {
    await expectVerdicts('admission webhook "resources.admission.kollect.dev"');
    const parsed = await tryToMake(kafka({ brokers: ['a..b:9092'] }));
    expect([parsed.status, parsed.body.message]).toEqual([422, expect.stringContaining('brokers[0]')]);
    const target = {
      apiVersion,
      kind: 'KollectTarget',
      metadata: { name: 'tried', namespace },
      spec: { resources: [{ apiVersion: 'v1', kind: 'Pod' }], attributes: { a: 'spec replicas[' } },
    };
    const { status, body } = await kubectl.ask(
      'POST',
      `${pathOf(apiVersion, 'kollecttargets', namespace)}?dryRun=All`,
      target,
    );
    expect([status, body.message]).toEqual([422, expect.stringContaining('attributes')]);
  }, 120_000);

  test('what it takes is what the operator can read', async () => {
    for (const [index, spec] of good.entries()) {
      const made = await kubectl.apply(sink(`good-${String(index)}`, spec));
      expect(parseSink(made, registry).config.type).toBe((spec as { readonly type: string }).type);
    }
  });

  test('never sees fields that the CRD does not know: they are pruned, or refused before', async () => {
    const mistyped = sink('mistyped', kafka({ pasword: 'geheim' }));
    const made = await kubectl.ask('POST', sinks, mistyped);
    expect([made.status, JSON.stringify(made.body['spec'])]).toEqual([201, expect.not.stringContaining('geheim')]);
    expect(lastBody).toContain('mistyped');
    expect(lastBody).not.toContain('geheim');
    const strict = await kubectl.ask('POST', `${sinks}?fieldValidation=Strict&dryRun=All`, mistyped);
    expect([strict.status, strict.body.message]).toEqual([400, expect.stringContaining('pasword')]);
    // What arrives all the same is refused.
    const { response } = handle(review('KollectSink', mistyped.spec));
    expect(response.status).toMatchObject({ code: 422, message: expect.not.stringContaining('geheim') });
  });

  test('is not asked for what stays, and deletions work while it is away', async () => {
    const before = asked.length;
    await stop();
    const refused = await tryToMake(kafkaSpec);
    expect([refused.status, refused.body.message]).toEqual([500, expect.stringContaining('failed calling webhook')]);
    await expectOldOneFree('old');
    await kubectl.delete(`${sinks}/older`);
    expect(await kubectl.get(`${sinks}/older`)).toBeUndefined();
    expect(asked).toHaveLength(before);
    await listen();
    await waitUntil(async () => (await tryToMake(kafkaSpec)).status === 201, {
      what: 'it is asked again',
      timeoutMs: 30_000,
    });
  }, 120_000);
});
