import { randomBytes } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Credentials, KollectSink, TlsMaterial } from '@kollect/core';
import type { NatsSpec } from '@kollect/sink-nats';
import { createUser } from '@nats-io/nkeys';
import { createAuthority, type Authority, type KeyPair } from '../servers/certificates.ts';
import { startNats, type NatsServer } from '../servers/nats.ts';
import { natsSinkOver, type NatsSinkOptions } from '../support/nats.ts';
import { makeOperator } from './jwt.ts';
import { limit, snapshotAt } from './snapshots.ts';

const secret = (): string => `s3cr3t-${randomBytes(9).toString('hex')}`;
const seedOf = (key: ReturnType<typeof createUser>): string => Buffer.from(key.getSeed()).toString();
const spec: Partial<NatsSpec> = { provisioning: 'create' };

let servers: NatsServer[] = [];
let sinks: KollectSink[] = [];
afterEach(async () => {
  await Promise.all(sinks.map((sink) => sink.close()));
  await Promise.all(servers.map((server) => server.stop()));
  [sinks, servers] = [[], []];
});

const start = async (config: string, files: Readonly<Record<string, string>> = {}): Promise<NatsServer> => {
  const server = await startNats({ config, files });
  servers.push(server);
  return server;
};
const open = (server: NatsServer, options: Omit<NatsSinkOptions, 'stream'>): KollectSink => {
  const sink = natsSinkOver({
    stream: { name: 'inventory', prefix: 'inventory' },
    server,
    ...options,
    spec: { ...spec, ...options.spec },
  });
  sinks.push(sink);
  return sink;
};
/** `applied`, or the code of the error, which shows no secret. */
const outcomeOf = async (sink: KollectSink, secrets: readonly string[] = []): Promise<string> => {
  try {
    return (await sink.export(await snapshotAt(0), limit())).outcome;
  } catch (error) {
    for (const each of secrets) expect(String(error)).not.toContain(each);
    const report = await sink.testConnection(limit());
    expect(report.ok).toBe(false);
    for (const each of secrets) expect(JSON.stringify(report)).not.toContain(each);
    return String(Object(error).code);
  }
};

const forms: readonly (readonly [
  string,
  () => { config: string; right: Credentials; wrong: readonly Credentials[] },
])[] = [
  [
    'user and password',
    () => {
      const password = secret();
      return {
        config: `authorization { user: exporter, password: "${password}" }`,
        right: { username: 'exporter', password },
        wrong: [{ username: 'exporter', password: secret() }, { token: secret() }, {}],
      };
    },
  ],
  [
    'token',
    () => {
      const token = secret();
      return { config: `authorization { token: "${token}" }`, right: { token }, wrong: [{ token: secret() }, {}] };
    },
  ],
  [
    'nkey',
    () => {
      const user = createUser();
      return {
        config: `authorization { users: [{ nkey: ${user.getPublicKey()} }] }`,
        right: { nkey: seedOf(user) },
        wrong: [{ nkey: seedOf(createUser()) }, {}],
      };
    },
  ],
  [
    'creds',
    () => {
      const { config, user, foreignUser, expiredUser } = makeOperator();
      const { creds } = user();
      return { config, right: { creds }, wrong: [{ creds: foreignUser().creds }, { creds: expiredUser().creds }, {}] };
    },
  ],
  [
    'jwt and seed',
    () => {
      const { config, user } = makeOperator();
      const { jwt, seed } = user();
      return { config, right: { jwt, seed }, wrong: [{ jwt, seed: seedOf(createUser()) }] };
    },
  ],
];

test.each(forms)('%s: the right one is let in, and the wrong ones are a verdict', async (_, make) => {
  const { config, right, wrong } = make();
  const server = await start(config);
  const secrets = [right, ...wrong].flatMap((each) => Object.values(each)).filter((each) => each !== 'exporter');
  expect(await outcomeOf(open(server, { credentials: right }))).toBe('applied');
  for (const credentials of wrong)
    expect(await outcomeOf(open(server, { credentials }), secrets)).toBe('AUTHENTICATION_FAILED');
});

describe('TLS', () => {
  let authority: Authority;
  let pairs: Record<'server' | 'elsewhere' | 'expired' | 'client' | 'foreign', KeyPair>;
  beforeAll(async () => {
    authority = await createAuthority();
    const foreign = await createAuthority('Foreign test authority');
    const hosts = ['localhost', '127.0.0.1'];
    pairs = {
      server: await authority.issue({ commonName: 'localhost', hosts }),
      elsewhere: await authority.issue({ commonName: 'elsewhere.example', hosts: ['elsewhere.example'] }),
      expired: await authority.issue({ commonName: 'localhost', hosts, expired: true }),
      client: await authority.issue({ commonName: 'exporter', client: true }),
      foreign: await foreign.issue({ commonName: 'exporter', client: true }),
    };
  });
  const startTls = ({ cert, key }: KeyPair, more = ''): Promise<NatsServer> =>
    start(`tls { cert_file: "$files/cert", key_file: "$files/key", ca_file: "$files/ca" ${more} }`, {
      cert,
      key,
      ca: authority.ca,
    });
  const over = (server: NatsServer, tls: NatsSpec['tls'], material: TlsMaterial = {}): Promise<string> =>
    outcomeOf(open(server, { spec: tls === undefined ? {} : { tls }, tls: material }));

  test('chain and name are checked, and a sink without TLS is told', async () => {
    const server = await startTls(pairs.server);
    const { ca } = authority;
    expect(await over(server, {}, { ca })).toBe('applied');
    expect(await over(server, {})).toBe('TLS_FAILED');
    expect(await over(server, { serverName: 'other.example' }, { ca })).toBe('TLS_FAILED');
    expect(await over(server, undefined)).toBe('TLS_FAILED');
    const elsewhere = await startTls(pairs.elsewhere);
    expect(await over(elsewhere, {}, { ca })).toBe('TLS_FAILED');
    expect(await over(elsewhere, { serverName: 'elsewhere.example' }, { ca })).toBe('applied');
    expect(await over(elsewhere, { mode: 'verify-ca' }, { ca })).toMatch(/^(?:applied|unchanged)$/u);
    expect(await over(await startTls(pairs.expired), {}, { ca })).toBe('TLS_FAILED');
  });

  test('a server that offers no TLS is refused where the spec wants it', async () => {
    expect(await over(await start(''), {})).toBe('TLS_FAILED');
  });

  test('handshake first', async () => {
    const server = await startTls(pairs.server, ', handshake_first: true');
    const { ca } = authority;
    expect(await over(server, { handshakeFirst: true }, { ca })).toBe('applied');
    expect(await over(server, { handshakeFirst: true })).toBe('TLS_FAILED');
    // The server says nothing before the handshake, and we wait for its greeting.
    const impatient = open(server, { spec: { tls: {}, connectTimeout: '300ms' }, tls: { ca } });
    expect(await outcomeOf(impatient)).toBe('TIMEOUT');
    const greeting = await startTls(pairs.server);
    expect(await over(greeting, { handshakeFirst: true }, { ca })).toBe('TLS_FAILED');
  });

  test('client certificates, which may be the login', async () => {
    const server = await startTls(pairs.server, ', verify: true');
    const { ca } = authority;
    expect(await over(server, {}, { ca, ...pairs.client })).toBe('applied');
    expect(await over(server, {}, { ca })).toBe('TLS_FAILED');
    expect(await over(server, {}, { ca, ...pairs.foreign })).toBe('TLS_FAILED');
  });
});

test('a login that was rotated arrives with the next connection', async () => {
  const [first, second] = [secret(), secret()];
  const config = (password: string): string => `authorization { users: [{ user: exporter, password: "${password}" }] }`;
  const server = await start(config(first));
  let password = first;
  const sink = open(server, { credentials: () => ({ username: 'exporter', password }) });
  await sink.export(await snapshotAt(0), limit());
  password = second;
  await server.reload(config(second));
  // The server ends the old session; the attempt that meets that end may fail, and is retried by core.
  const again = async (): Promise<string> => (await sink.export(await snapshotAt(1, { seed: 2 }), limit())).outcome;
  expect(
    await again().catch(async (error: unknown) => {
      expect(Object(error)).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
      return again();
    }),
  ).toBe('applied');
});

test('permissions: what is missing is PERMISSION_DENIED, and no connection is lost over it', async () => {
  const password = secret();
  const config = (allowed: string): string =>
    `authorization { users: [
      { user: exporter, password: "${password}", permissions: { publish: { allow: [${allowed}] }, subscribe: { allow: ["_INBOX.>", "mine.>"] } } }
      { user: mine, password: "${password}", permissions: { subscribe: { allow: ["mine.>"] } } }
    ] }`;
  const api = '"$JS.API.STREAM.INFO.*", "$JS.API.STREAM.MSG.GET.*", "$JS.API.STREAM.CREATE.*", "$JS.API.INFO"';
  const server = await start(config(`"inventory.>", ${api}`));
  const credentials = { username: 'exporter', password };
  const sink = open(server, { credentials });
  expect(await outcomeOf(sink)).toBe('applied');
  expect((await sink.testConnection(limit())).ok).toBe(true);
  expect(await outcomeOf(open(server, { credentials: { username: 'mine', password } }))).toBe('PERMISSION_DENIED');
  const inbox = open(server, { credentials: { username: 'mine', password }, spec: { inboxPrefix: 'mine' } });
  expect(await outcomeOf(inbox)).toMatch(/^(?:applied|unchanged)$/u);
  await server.reload(config(api));
  const denied = open(server, { credentials });
  await expect(denied.export(await snapshotAt(5, { seed: 5 }), limit())).rejects.toMatchObject({
    code: 'PERMISSION_DENIED',
  });
  const { steps } = await denied.testConnection(limit());
  expect(steps.find(({ status }) => status === 'failed')).toMatchObject({
    name: 'permission',
    code: 'PERMISSION_DENIED',
  });
});
