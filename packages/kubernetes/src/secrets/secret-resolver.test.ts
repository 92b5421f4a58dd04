import { afterEach, expect, test } from '@jest/globals';
import { createExporter, createSinkRegistry, defineSink, SinkError, type SinkConnection } from '@kollect/core';
import type { ApiObject } from '../api/kubernetes-api.ts';
import { createFakeApi } from '../testing/fake-api.ts';
import { manualClock, settle } from '../testing/manual-clock.fixture.ts';
import { apiSecretReader } from './api-secret-reader.ts';
import { createSecretResolver } from './secret-resolver.ts';
import type { SecretResolver, SecretResolverOptions, SecretSink } from './secret-types.ts';

const { signal } = new AbortController();
const fields = ['dsn', 'username', 'password', 'host', 'port'].map((name) => ({
  name,
  description: 'A field.',
  secret: true,
}));
const used: unknown[] = [];
const database = defineSink({
  type: 'database',
  contractVersion: 1,
  role: 'relational-store',
  credentialFields: fields,
  specSchema: { type: 'object', properties: {}, additionalProperties: false },
  create: (context) => ({
    export: async () => Promise.reject(new SinkError('UNAVAILABLE', 'It exports nothing.')),
    testConnection: async () => {
      used.push(await context.credentials(), await context.tls());
      return { ok: true, steps: [] };
    },
    close: async () => undefined,
  }),
});
const registry = createSinkRegistry([database]);
const pem = (what: string): string => `-----BEGIN CERTIFICATE-----\n${what}\n-----END CERTIFICATE-----\n`;
const encoded = (data: object): object =>
  Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(String(text)).toString('base64')]));
const secret = (data: object, metadata: object = {}): ApiObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { namespace: 'shop', name: 'db', ...metadata },
  data: encoded(data),
});
const configMap = (fields: object): ApiObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'shop', name: 'trust' },
  ...fields,
});
const sink = (spec: Partial<SecretSink['spec']> = { secretRef: { name: 'db' } }, name = 'orders'): SecretSink => ({
  namespace: 'shop',
  name,
  spec: { type: 'database', ...spec },
});
const login = { username: 'app', password: 'geheim', host: 'db.example' };

const open: SecretResolver[] = [];
afterEach(async () => {
  used.splice(0);
  await Promise.all(open.splice(0).map((resolver) => resolver.close()));
});

function start(options: Partial<SecretResolverOptions> = {}) {
  const clock = manualClock();
  const api = createFakeApi({ clock });
  const told: string[] = [];
  const onChange = (sinks: readonly string[]): void => void told.push(sinks.join());
  const resolver = createSecretResolver(apiSecretReader(api), { registry, clock, onChange, ...options });
  open.push(resolver);
  return { clock, api, told, resolver, gets: () => api.calls({ verb: 'get' }).length };
}

async function valuesOf({ credentials, tls }: Pick<SinkConnection, 'credentials' | 'tls'>): Promise<unknown[]> {
  if (typeof credentials !== 'function' || typeof tls !== 'function') throw new Error('expected functions');
  return [await credentials(), await tls()];
}

async function failureOf(promise: Promise<unknown>): Promise<SinkError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (SinkError.isInstance(error)) return error;
  throw new Error(`expected a SinkError, found ${String(error)}`);
}

test('a Secret whose keys are named as the type reads them is taken as it is, and what else it holds is left aside', async () => {
  const { api, resolver } = start();
  api.put(secret({ ...login, other: 'x', 'tls.crt': pem('cert'), 'tls.key': pem('key'), 'ca.crt': pem('ca') }));
  const { connection } = await resolver.resolve(sink(), { signal });
  expect(await valuesOf(connection)).toEqual([login, { cert: pem('cert'), key: pem('key'), ca: pem('ca') }]);
});

test('a map of keys says what is what', async () => {
  const { api, resolver } = start();
  api.put(secret({ USER: 'app', PASS: 'geheim', root: pem('ca') }));
  const keys = { username: 'USER', password: 'PASS', ca: 'root' };
  const { connection } = await resolver.resolve(sink({ secretRef: { name: 'db', keys } }), { signal });
  expect(await valuesOf(connection)).toEqual([{ username: 'app', password: 'geheim' }, { ca: pem('ca') }]);
});

test.each([
  ['cloudnative-pg', 'db', { ...login, host: 'db-rw', port: 5432 }, { ...login, host: 'db-rw.shop.svc', port: '5432' }],
  ['cloudnative-pg', 'db', { ...login, host: 'db.example' }, login],
  [
    'zalando',
    'app.my-db.credentials.postgresql.acid.zalan.do',
    { username: 'app', password: 'geheim' },
    { username: 'app', password: 'geheim', host: 'my-db.shop.svc' },
  ],
  ['zalando', 'db', { username: 'app', password: 'geheim' }, { username: 'app', password: 'geheim' }],
])('a Secret of %s names a host that every Pod knows: %s', async (preset, name, data, expected) => {
  const { api, resolver } = start();
  api.put(secret(data, { name }));
  const { connection } = await resolver.resolve(sink({ secretRef: { name, preset } }), { signal });
  expect((await valuesOf(connection))[0]).toEqual(expected);
});

test.each<[string, NonNullable<SecretSink['spec']['ca']>, ApiObject]>([
  ['a Secret', { secretRef: { name: 'db', key: 'x.crt' } }, secret({ 'x.crt': pem('ca') })],
  ['a ConfigMap', { configMapRef: { name: 'trust', key: 'x.crt' } }, configMap({ data: { 'x.crt': pem('ca') } })],
  [
    'bytes of a ConfigMap',
    { configMapRef: { name: 'trust', key: 'x.crt' } },
    configMap({ binaryData: encoded({ 'x.crt': pem('ca') }) }),
  ],
  ['the sink itself', { bundle: pem('ca') }, secret({})],
])('the authorities come from %s', async (_, ca, object) => {
  const { api, resolver } = start();
  api.put(object);
  const { connection } = await resolver.resolve(sink({ ca }), { signal });
  expect(await valuesOf(connection)).toEqual([{}, { ca: pem('ca') }]);
});

test('authorities of their own go before those of the Secret', async () => {
  const { api, resolver } = start();
  api.put(secret({ ...login, 'ca.crt': pem('other') }));
  api.put(configMap({ data: { bundle: pem('ca') } }));
  const spec = { secretRef: { name: 'db' }, ca: { configMapRef: { name: 'trust', key: 'bundle' } } };
  const { connection } = await resolver.resolve(sink(spec), { signal });
  expect(await valuesOf(connection)).toEqual([login, { ca: pem('ca') }]);
});

test('a sink reads the Secrets of its own namespace', async () => {
  const { api, resolver } = start();
  api.put(secret(login));
  api.put(secret({ ...login, password: 'other' }, { namespace: 'bank' }));
  const one = await resolver.resolve(sink(), { signal });
  const two = await resolver.resolve({ ...sink(), namespace: 'bank' }, { signal });
  expect((await valuesOf(one.connection))[0]).toEqual(login);
  expect((await valuesOf(two.connection))[0]).toEqual({ ...login, password: 'other' });
  api.remove('Secret', { namespace: 'shop', name: 'db' });
  expect(api.calls({ verb: 'get' }).map(({ namespace }) => namespace)).toEqual(['shop', 'bank']);
});

const bundleKey = { secretRef: { name: 'db', key: 'x.crt' } };
test.each<[string, object, Partial<SecretSink['spec']>, string]>([
  [
    'no key that is read',
    secret({ a: 'geheim' }),
    {},
    'The Secret "shop/db" has none of the keys that sinks of type "database" read (dsn, username,',
  ],
  [
    'a key that is not there',
    secret(login),
    { secretRef: { name: 'db', keys: { password: 'pass' } } },
    'The Secret "shop/db" for a sink of type "database": it lacks the key "pass", which is named for password',
  ],
  [
    'a field that nobody reads',
    secret(login),
    { secretRef: { name: 'db', keys: { passwort: 'password' } } },
    'did you mean "password"?',
  ],
  [
    'a preset that there is none of',
    secret(login),
    { secretRef: { name: 'db', preset: 'zalanda' } },
    'did you mean "zalando"?',
  ],
  ['no base64', { ...secret(login), data: { password: 'geheim!' } }, {}, 'the value of "password" is not base64'],
  [
    'bytes that are no text',
    { ...secret(login), data: { password: '/v8=' } },
    {},
    'the value of "password" is not UTF-8 text',
  ],
  ['a number', { ...secret(login), data: { password: 5 } }, {}, 'the value of "password" is not text or bytes'],
  [
    'too much',
    { ...secret(login), data: { password: 'QUJD'.repeat(2 ** 20) } },
    {},
    'The Secret "shop/db" holds more data than',
  ],
  [
    'authorities that are none',
    secret({ ...login, 'x.crt': 'geheim' }),
    { ca: bundleKey },
    'The value of "x.crt" in the Secret "shop/db" holds no certificate as PEM',
  ],
  ['authorities that are not there', secret(login), { ca: bundleKey }, 'it lacks the key "x.crt"'],
  ['a bundle that is none', secret(login), { ca: { bundle: 'geheim' } }, '$.spec.ca.bundle holds no certificate'],
])('what cannot be used is said with Secret and key, and no value is shown: %s', async (_, object, spec, message) => {
  const { api, resolver } = start();
  api.put(object as ApiObject);
  const error = await failureOf(resolver.resolve(sink({ secretRef: { name: 'db' }, ...spec }), { signal }));
  expect(error).toMatchObject({ code: 'SPEC_INVALID' });
  expect(error.message).toContain(message);
  expect(JSON.stringify([error.message, error.stack, String(error.cause)])).not.toMatch(/geheim|QUJD/u);
});

test('many sinks of one Secret read it once', async () => {
  const { api, resolver, gets } = start();
  api.put(secret(login));
  const names = Array.from({ length: 20 }, (_, index) => `sink-${String(index)}`);
  await Promise.all(names.map((name) => resolver.resolve(sink(undefined, name), { signal })));
  expect(gets()).toBe(1);
});

test('what rotated is read at the next connect after ten seconds, and the sinks that name it are told', async () => {
  const { api, clock, told, resolver } = start();
  api.put(secret(login));
  api.put(secret(login, { name: 'another' }));
  const first = await resolver.resolve(sink(), { signal });
  await resolver.resolve(sink(undefined, 'invoices'), { signal });
  await resolver.resolve(sink({ secretRef: { name: 'another' } }, 'elsewhere'), { signal });
  api.put(secret({ ...login, password: 'new' }));
  expect((await valuesOf(first.connection))[0]).toEqual(login);
  await clock.advance(10_000);
  expect((await valuesOf(first.connection))[0]).toEqual({ ...login, password: 'new' });
  expect(told).toEqual(['shop/orders,shop/invoices']);
  const second = await resolver.resolve(sink(), { signal });
  expect(second.revision).not.toBe(first.revision);
});

test('without a connect it is found out within the minute', async () => {
  const { api, clock, told, resolver } = start();
  api.put(secret(login));
  await resolver.resolve(sink(), { signal });
  await clock.advance(70_000);
  expect(told).toEqual([]);
  api.put(secret({ ...login, password: 'new' }));
  await clock.advance(70_000);
  expect(told).toEqual(['shop/orders']);
  api.remove('Secret', { namespace: 'shop', name: 'db' });
  await clock.advance(70_000);
  expect(told).toHaveLength(2);
});

test('a change that changes no credentials makes no other sink', async () => {
  const { api, clock, resolver } = start();
  api.put(secret(login));
  const before = await resolver.resolve(sink(), { signal });
  api.put(secret({ ...login, unread: 'x' }, { labels: { a: 'b' } }));
  await clock.advance(10_000);
  const after = await resolver.resolve(sink(), { signal });
  expect(after.revision).toBe(before.revision);
  expect(before.revision).toMatch(/^[0-9a-f]{32}$/u);
  const elsewhere = start();
  elsewhere.api.put(secret(login));
  expect((await elsewhere.resolver.resolve(sink(), { signal })).revision).not.toBe(before.revision);
});

test('whoever watches is told which sinks name it, and then it is read anew', async () => {
  const { api, resolver, gets } = start({ refresh: '0s' });
  api.put(secret(login));
  await resolver.resolve(sink(), { signal });
  api.put(secret({ ...login, password: 'new' }));
  const ref = { kind: 'Secret', namespace: 'shop', name: 'db' } as const;
  expect(resolver.changed(ref)).toEqual(['shop/orders']);
  expect(resolver.changed({ ...ref, kind: 'ConfigMap' })).toEqual([]);
  const { connection } = await resolver.resolve(sink(), { signal });
  expect((await valuesOf(connection))[0]).toEqual({ ...login, password: 'new' });
  expect(gets()).toBe(2);
});

test('what was being read when it changed counts for nothing', async () => {
  const { api, resolver } = start({ refresh: '0s' });
  const first = api.put(secret(login));
  const reads: ((object: ApiObject) => void)[] = [];
  const reader = {
    getSecret: async () => new Promise<ApiObject>((resolve) => reads.push(resolve)),
    getConfigMap: async () => undefined,
  };
  const own = createSecretResolver(reader, { registry, refresh: '0s' });
  open.push(own);
  const before = own.resolve(sink(), { signal });
  await settle();
  own.changed({ kind: 'Secret', namespace: 'shop', name: 'db' });
  const after = own.resolve(sink(), { signal });
  await settle();
  reads[1]?.(api.put(secret({ ...login, password: 'new' })));
  await after;
  reads[0]?.(first);
  await before;
  const { connection } = await own.resolve(sink(), { signal });
  expect((await valuesOf(connection))[0]).toEqual({ ...login, password: 'new' });
  await resolver.close();
});

test('a Secret that is not there is asked for every ten seconds at most, and told when it came', async () => {
  const { api, clock, told, resolver, gets } = start();
  const error = await failureOf(resolver.resolve(sink(), { signal }));
  expect(error).toMatchObject({ code: 'CREDENTIALS_UNAVAILABLE', retryable: true });
  expect(error.message).toContain('The Secret "shop/db" does not exist.');
  for (let round = 0; round < 5; round += 1) await failureOf(resolver.resolve(sink(), { signal }));
  expect(gets()).toBe(1);
  api.put(secret(login));
  await clock.advance(70_000);
  expect(told).toEqual(['shop/orders']);
  expect((await valuesOf((await resolver.resolve(sink(), { signal })).connection))[0]).toEqual(login);
});

test('while the API server is away, what is known of it serves on', async () => {
  const { api, clock, told, resolver } = start();
  api.put(secret(login));
  const { connection } = await resolver.resolve(sink(), { signal });
  api.fail({ kind: 'reset' });
  await clock.advance(300_000);
  expect((await valuesOf(connection))[0]).toEqual(login);
  const other = await failureOf(resolver.resolve(sink({ secretRef: { name: 'another' } }, 'b'), { signal }));
  expect(other).toMatchObject({ code: 'CREDENTIALS_UNAVAILABLE' });
  expect(other.message).toContain(
    'The Secret "shop/another" cannot be read now: Could not get secrets "another" in "shop"',
  );
  api.heal();
  await clock.advance(70_000);
  expect(told).toEqual([]);
});

test('a Secret that may not be read any more serves nobody', async () => {
  const { api, clock, resolver } = start();
  api.put(secret(login));
  const { connection } = await resolver.resolve(sink(), { signal });
  api.fail({ kind: 'status', status: 403, reason: 'Forbidden' }, { verb: 'get' });
  await clock.advance(10_000);
  const error = await failureOf(valuesOf(connection));
  expect(error).toMatchObject({ code: 'CREDENTIALS_UNAVAILABLE' });
  expect(error.message).toContain('The operator may not read the Secret "shop/db".');
});

test('a reader that fails says nothing of what it threw, and one that hangs is given up', async () => {
  const clock = manualClock();
  const failing = {
    getSecret: async () => Promise.reject(new Error('geheim')),
    getConfigMap: async () => new Promise<undefined>(() => undefined),
  };
  const resolver = createSecretResolver(failing, { registry, clock });
  open.push(resolver);
  const error = await failureOf(resolver.resolve(sink(), { signal }));
  expect(error.message).not.toContain('geheim');
  const hanging = failureOf(resolver.resolve(sink({ ca: { configMapRef: { name: 'trust', key: 'a' } } }), { signal }));
  await clock.advance(15_000);
  expect((await hanging).code).toBe('CREDENTIALS_UNAVAILABLE');
  const aborting = new AbortController();
  const ca = { configMapRef: { name: 'more', key: 'a' } };
  const aborted = resolver.resolve(sink({ ca }), { signal: aborting.signal }).catch((reason: unknown) => reason);
  aborting.abort('enough');
  expect(await aborted).toBe('enough');
});

test('a sink that names others, or is gone, is told of the old ones no more', async () => {
  const { api, clock, told, resolver, gets } = start();
  api.put(secret(login));
  api.put(secret(login, { name: 'another' }));
  await resolver.resolve(sink(), { signal });
  await resolver.resolve(sink({ secretRef: { name: 'another' } }), { signal });
  expect(resolver.changed({ kind: 'Secret', namespace: 'shop', name: 'db' })).toEqual([]);
  resolver.forget(sink());
  const before = gets();
  api.put(secret({ ...login, password: 'new' }, { name: 'another' }));
  await clock.advance(300_000);
  expect([told, gets(), clock.timers]).toEqual([[], before, 0]);
});

test('a callback that throws stops nothing', async () => {
  const logged: string[] = [];
  const log = (_: object, message: string): void => void logged.push(message);
  const { api, clock, resolver } = start({
    logger: { debug: log, info: log, warn: log, error: log },
    onChange: () => {
      throw new Error('geheim');
    },
  });
  api.put(secret(login));
  await resolver.resolve(sink(), { signal });
  for (const password of ['a', 'b']) {
    api.put(secret({ ...login, password }));
    await clock.advance(70_000);
  }
  expect(logged).toEqual(['A callback failed.', 'A callback failed.']);
});

test('closed, it leaves no timer and reads nothing', async () => {
  const { api, clock, resolver } = start();
  api.put(secret(login));
  const { connection } = await resolver.resolve(sink(), { signal });
  await resolver.close();
  await resolver.close();
  await clock.advance(60_000);
  expect(clock.timers).toBe(0);
  expect(api.calls({ verb: 'get' })).toHaveLength(1);
  await expect(valuesOf(connection)).rejects.toBeDefined();
});

test('an exporter takes it as it is: a rotated Secret replaces the sink', async () => {
  const { api, clock, resolver } = start();
  api.put(secret(login));
  const exporter = createExporter({ registry });
  const update = async (): Promise<string> =>
    exporter.updateSink({
      name: 'shop/orders',
      config: { type: 'database' },
      ...(await resolver.resolve(sink(), { signal })),
    });
  expect(await update()).toBe('created');
  expect(await update()).toBe('unchanged');
  api.put(secret({ ...login, password: 'new' }));
  await clock.advance(70_000);
  expect(await update()).toBe('replaced');
  const resource = {
    name: 'test',
    config: { type: 'database' as const },
    ...(await resolver.resolve(sink(), { signal })),
  };
  await exporter.testConnection(resource);
  expect(used).toEqual([{ ...login, password: 'new' }, {}]);
  await exporter.close();
});

test.each<[object, string]>([
  [{}, 'registry is missing'],
  [{ registry, refreshh: '1m' }, 'did you mean "refresh"?'],
  [{ registry, refresh: 'often' }, 'refresh: expected a duration'],
])('wrong options are refused: %j', (options, message) => {
  const reader = apiSecretReader(createFakeApi());
  expect(() => createSecretResolver(reader, options as SecretResolverOptions)).toThrow(message);
});
