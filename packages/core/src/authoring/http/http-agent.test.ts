import { once } from 'node:events';
import { Agent as PlainAgent, request } from 'node:http';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createAuthority, type Authority, type KeyPair } from '../../../../../test-integration/servers/certificates.ts';
import { fakeLookup, closedPort } from '../../connection/connection.fixture.ts';
import { createEgressPolicy, type EgressPolicyOptions } from '../../connection/egress-policy.ts';
import { createClassifier } from '../faults/classifier.ts';
import { tlsOptions, type SinkTls } from '../login/tls-options.ts';
import { createHttpAgent, type HttpAgent, type HttpAgentOptions } from './http-agent.ts';
import { clients, failureOf, startHttp, startHttps, startRaw, type TestServer } from './http.fixture.ts';

const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
});

function agentOf(options?: HttpAgentOptions, policy?: EgressPolicyOptions): HttpAgent {
  const agent = createHttpAgent(createEgressPolicy(policy), options);
  ending.push(() => agent.close());
  return agent;
}

async function kept(server: Promise<TestServer>): Promise<TestServer> {
  const started = await server;
  ending.push(() => started.stop());
  return started;
}

/** What the sink makes of it. */
const classify = createClassifier({
  sinkType: 'store',
  server: 'the store',
  specPath: 'spec.store',
  read: () => ({}),
  rules: [],
});
const failed = async (promise: Promise<unknown>) => classify(await failureOf(promise));
const url = ({ port }: Pick<TestServer, 'port'>, host = '127.0.0.1', scheme = 'http'): string =>
  `${scheme}://${host}:${String(port)}/`;

/** Until it holds; the test's own limit ends it. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe.each(clients)('%s', (name, ask) => {
  test('asks and is answered, over a connection that is kept', async () => {
    const server = await kept(startHttp((incoming, outgoing) => outgoing.end(`${incoming.headers.host}`)));
    const agent = agentOf();
    for (let count = 0; count < 6; count += 1)
      expect(await ask(agent, url(server))).toEqual({ status: 200, body: `127.0.0.1:${String(server.port)}` });
    // undici frees one a moment after the answer was read.
    expect(server.accepted()).toBeLessThan(3);
    await agent.close();
    await until(() => server.open.size === 0);
  });

  test('dials the address that its lookup was allowed, at each connect', async () => {
    const server = await kept(startHttp((__, outgoing) => outgoing.end('ok')));
    const lookup = fakeLookup({ 'store.example': [['127.0.0.1'], ['127.0.0.1'], ['10.1.2.3']] });
    const agent = agentOf({ idleTimeoutMs: 0 }, { lookup, deny: ['10.0.0.0/8'] });
    const store = url(server, 'store.example');
    for (let count = 0; count < 2; count += 1) expect((await ask(agent, store)).body).toBe('ok');
    expect(await failed(ask(agent, store))).toMatchObject({
      code: 'EGRESS_DENIED',
      message: expect.stringMatching(/10\.1\.2\.3.*spec\.store/u),
    });
    expect(lookup.asked).toHaveLength(3);
  });

  test.each([
    ['127.0.0.1', ['127.0.0.0/8']],
    ['[::1]', ['::1/128']],
    ['localhost', ['127.0.0.0/8', '::1/128']],
  ])('does not dial %s where the policy forbids it', async (host, deny) => {
    const server = await kept(startHttp((__, outgoing) => outgoing.end()));
    expect((await failed(ask(agentOf({}, { deny }), url(server, host)))).code).toBe('EGRESS_DENIED');
    expect(server.accepted()).toBe(0);
  });

  test('says who does not answer', async () => {
    const port = await closedPort();
    const error = await failed(ask(agentOf(), url({ port })));
    expect(error).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining(`127.0.0.1:${port}`) });
  });

  test('waits for a connection no longer than it may, name resolution included', async () => {
    const agent = agentOf({ connectTimeoutMs: 20 }, { lookup: () => undefined });
    expect(await failed(ask(agent, 'http://store.example:81/'))).toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining('store.example:81 took longer than 20 ms'),
    });
  });

  test('never has more connections than it may', async () => {
    let running = 0;
    let most = 0;
    const server = await kept(
      startHttp((__, outgoing) => {
        most = Math.max(most, (running += 1));
        setTimeout(() => outgoing.end('ok', () => (running -= 1)), 10);
      }),
    );
    const agent = agentOf({ maxSockets: 2 });
    const all = Array.from({ length: 9 }, () => ask(agent, url(server)));
    expect((await Promise.all(all)).every(({ body }) => body === 'ok')).toBe(true);
    expect([most, server.accepted()]).toEqual([2, 2]);
  });

  test('asks all that wait for a connection that cannot be made, and fails each', async () => {
    const port = await closedPort();
    const agent = agentOf({ maxSockets: 1 });
    const all = await Promise.all(Array.from({ length: 4 }, () => failed(ask(agent, url({ port })))));
    expect(all.map(({ code }) => code)).toEqual(Array.from({ length: 4 }, () => 'UNAVAILABLE'));
  });

  test('ends a connection that was idle for long, and makes another', async () => {
    const server = await kept(startHttp((__, outgoing) => outgoing.end('ok')));
    const agent = agentOf({ idleTimeoutMs: 30 });
    await ask(agent, url(server));
    await until(() => server.open.size === 0);
    expect((await ask(agent, url(server))).body).toBe('ok');
    expect(server.accepted()).toBe(2);
  });

  test('ends what runs, what waits and what connects at close, and does nothing after it', async () => {
    const server = await kept(startHttp(() => undefined));
    const agent = agentOf({ maxSockets: 1 }, { lookup: fakeLookup({ 'never.example': [] }) });
    const silent = agentOf({}, { lookup: () => undefined });
    const running = [ask(agent, url(server)), ask(agent, url(server)), ask(silent, 'http://store.example/')];
    const failures = Promise.all(running.map(failed));
    await until(() => server.open.size === 1);
    await Promise.all([agent.close(), agent.close(), silent.close()]);
    expect((await failures).map(({ code }) => code)).toEqual([
      name === 'fetch' ? 'ABORTED' : 'UNAVAILABLE',
      'ABORTED',
      'ABORTED',
    ]);
    await until(() => server.open.size === 0);
    expect((await failed(ask(agent, url(server)))).code).toBe('ABORTED');
    expect(server.accepted()).toBe(1);
  });

  test('leaves nothing of a request that was aborted', async () => {
    const server = await kept(startHttp(() => undefined));
    const agent = agentOf();
    const controller = new AbortController();
    const error = failed(ask(agent, url(server), { signal: controller.signal }));
    await until(() => server.open.size === 1);
    controller.abort();
    expect((await error).code).toBe('ABORTED');
    await until(() => server.open.size === 0);
  });

  test('takes no proxy from the environment', async () => {
    const proxy = await kept(startRaw((socket) => socket.destroy()));
    const server = await kept(startHttp((__, outgoing) => outgoing.end('ok')));
    const names = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'NODE_USE_ENV_PROXY'];
    const before = names.map((name) => process.env[name]);
    names.forEach((name) => (process.env[name] = name.endsWith('ENV_PROXY') ? '1' : url(proxy)));
    try {
      expect((await ask(agentOf(), url(server))).body).toBe('ok');
    } finally {
      names.forEach((name, index) => {
        const value = before[index];
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      });
    }
    expect(proxy.accepted()).toBe(0);
  });
});

describe('redirections', () => {
  test('are dialled through egress as well', async () => {
    const metadata = await kept(startHttp((_, outgoing) => outgoing.end('secret')));
    const server = await kept(
      startHttp((_, outgoing) => outgoing.writeHead(302, { location: url(metadata, 'metadata.example') }).end()),
    );
    const names = (address: string) => ({
      lookup: fakeLookup({ 'metadata.example': [[address]] }),
      deny: ['10.0.0.0/8'],
    });
    expect((await failed(agentOf({}, names('10.0.0.1')).fetch(url(server)))).code).toBe('EGRESS_DENIED');
    expect(metadata.accepted()).toBe(0);
    expect(await (await agentOf({}, names('127.0.0.1')).fetch(url(server))).text()).toBe('secret');
  });

  test('that never end fail', async () => {
    const server = await kept(startHttp((_, outgoing) => outgoing.writeHead(302, { location: '/' }).end()));
    expect(await failureOf(agentOf().fetch(url(server)))).toBeInstanceOf(Error);
  });
});

describe('TLS', () => {
  let authority: Authority;
  let pair: KeyPair;
  let client: KeyPair;
  beforeAll(async () => {
    authority = await createAuthority();
    pair = await authority.issue({ commonName: 'store.example', hosts: ['store.example', '127.0.0.1'] });
    client = await authority.issue({ commonName: 'writer', client: true });
  });
  const lookup = () => fakeLookup({ 'store.example': [['127.0.0.1']], 'other.example': [['127.0.0.1']] });
  const sinkTls = (spec: Parameters<typeof tlsOptions>[0]['tls'], withClient = false): SinkTls => {
    const material = { ca: authority.ca, ...(withClient ? client : {}) };
    const made = tlsOptions({ sinkType: 'store', tls: spec, material });
    if (made === undefined) throw new Error('TLS is off');
    return made;
  };
  const seen: (string | false | null | undefined)[] = [];
  const start = (more: object = {}): Promise<TestServer> =>
    kept(
      startHttps({ ...pair, ...more }, (incoming, outgoing) => {
        const { servername } = incoming.socket as unknown as { readonly servername?: string | false };
        seen.push(servername);
        outgoing.end('ok');
      }),
    );

  describe.each(clients)('%s', (name, ask) => {
    test.each([
      ['store.example', {}, 'store.example'],
      ['127.0.0.1', {}, false],
      ['127.0.0.1', { serverName: 'store.example' }, 'store.example'],
      ['other.example', { serverName: 'store.example' }, 'store.example'],
    ] as const)('greets %s with %p', async (host, names, expected) => {
      const server = await start();
      const agent = agentOf({ tls: sinkTls({ mode: 'verify-full', ...names }) }, { lookup: lookup() });
      expect((await ask(agent, url(server, host, 'https'))).body).toBe('ok');
      expect(seen.at(-1)).toBe(expected);
    });

    test('refuses another name, unless it need not be the same, and an authority that nobody gave', async () => {
      const server = await start();
      const other = url(server, 'other.example', 'https');
      const full = agentOf({ tls: sinkTls({ mode: 'verify-full' }) }, { lookup: lookup() });
      expect(await failed(ask(full, other))).toMatchObject({ code: 'TLS_FAILED' });
      const chain = agentOf({ tls: sinkTls({ mode: 'verify-ca' }) }, { lookup: lookup() });
      expect((await ask(chain, other)).body).toBe('ok');
      const nothing = agentOf({}, { lookup: lookup() });
      expect(await failed(ask(nothing, url(server, 'store.example', 'https')))).toMatchObject({ code: 'TLS_FAILED' });
    });

    test('shows the client certificate that it is given at the moment', async () => {
      const server = await start({ ca: authority.ca, requestCert: true, rejectUnauthorized: true });
      let tls = sinkTls({ mode: 'verify-full' });
      const agent = agentOf({ tls: () => tls }, { lookup: lookup() });
      const store = url(server, 'store.example', 'https');
      // undici may see the end of the connection before it reads why.
      expect((await failed(ask(agent, store))).code).toMatch(
        name === 'fetch' ? /^(?:TLS_FAILED|UNAVAILABLE)$/u : /^TLS_FAILED$/u,
      );
      tls = sinkTls({ mode: 'verify-full' }, true);
      expect((await ask(agent, store)).body).toBe('ok');
    });

    test('is not left for http', async () => {
      const server = await kept(startHttp((__, outgoing) => outgoing.end('ok')));
      const agent = agentOf({ tls: sinkTls({ mode: 'verify-full' }) });
      expect(await failed(ask(agent, url(server)))).toMatchObject({
        code: 'TLS_FAILED',
        message: expect.stringContaining('is not encrypted'),
      });
      expect(server.accepted()).toBe(0);
    });

    test('gives up a server that does not shake hands', async () => {
      const server = await kept(startRaw(() => undefined));
      const agent = agentOf({ connectTimeoutMs: 50 });
      expect((await failed(ask(agent, url(server, '127.0.0.1', 'https')))).code).toBe('TIMEOUT');
      await until(() => server.open.size === 0);
    });
  });
});

test("gives Node's own fetch its dispatcher", async () => {
  const server = await kept(startHttp((incoming, outgoing) => incoming.pipe(outgoing)));
  const dispatcher = await agentOf().dispatcher();
  const init: object = { method: 'POST', body: 'sent', dispatcher };
  expect(await (await fetch(url(server), init)).text()).toBe('sent');
  const denied: object = { dispatcher: await agentOf({}, { deny: ['127.0.0.0/8'] }).dispatcher() };
  await expect(fetch(url(server), denied)).rejects.toThrow('fetch failed');
  expect(server.accepted()).toBe(1);
});

test('closes in the middle of an answer that nobody looks at any more', async () => {
  const server = await kept(startHttp((_, outgoing) => void outgoing.write('begun')));
  const agent = agentOf();
  await once(request(url(server), { agent: agent.http }).end(), 'response');
  await agent.close();
  await until(() => server.open.size === 0);
});

test('sets no time limit for a request of node:http', async () => {
  const server = await kept(startHttp((_, outgoing) => setTimeout(() => outgoing.end('ok'), 60)));
  const agent = agentOf({ idleTimeoutMs: 20 });
  for (let count = 0; count < 2; count += 1) {
    const asked = request(url(server), { agent: agent.http }).end();
    let timedOut = false;
    asked.on('timeout', () => (timedOut = true));
    const [answer] = await once(asked, 'response');
    answer.resume();
    await once(answer, 'end');
    expect(timedOut).toBe(false);
  }
});

test('tells of a port that is none by an error of the request', async () => {
  const asked = request({ host: '127.0.0.1', port: 70_000, agent: agentOf().http }).end();
  await expect(once(asked, 'response')).rejects.toMatchObject({ code: 'CONTRACT_VIOLATION' });
});

test('is an agent of its protocol', () => {
  const agent = agentOf();
  expect(agent.http).toBeInstanceOf(PlainAgent);
  expect([agent.http, agent.https].map((each) => (each as unknown as { protocol: string }).protocol)).toEqual([
    'http:',
    'https:',
  ]);
});

test.each([
  [{ maxSocket: 1 }, /did you mean "maxSockets"\?/u],
  [{ tsl: {} }, /"tsl" is not known; known: tls, connect/u],
  [{ tls: true }, /tls must be an object with the functions for or a function, found the boolean true/u],
  [{ tls: {} }, /tls must be/u],
  [{ connectTimeoutMs: 0 }, /connectTimeoutMs must be a number above 0, found the number 0/u],
  [{ maxSockets: '8' }, /maxSockets must be a number above 0/u],
  [{ idleTimeoutMs: -1 }, /idleTimeoutMs must be a whole number, 0 or more, found the number -1/u],
  [[], /The options of createHttpAgent must be an object/u],
])('refuses %p', (options, message) => {
  expect(() => agentOf(options as HttpAgentOptions)).toThrow(message);
});
