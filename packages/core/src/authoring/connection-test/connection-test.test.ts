import { getEventListeners } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { closedPort, fakeLookup, startServer } from '../../connection/connection.fixture.ts';
import { createEgressPolicy } from '../../connection/egress-policy.ts';
import type { DialOptions } from '../../contract/egress.ts';
import { SinkError } from '../../contract/errors/errors.ts';
import type { ConnectionReport } from '../../contract/sink.ts';
import { createConnectionTest, type ConnectionTest, type ConnectionTestOptions } from './connection-test.ts';
import { createOperations } from '../operations/operations.ts';

const egress = createEgressPolicy({
  deny: ['192.0.2.0/24'],
  lookup: fakeLookup({ 'db.example': [['127.0.0.1']], 'denied.example': [['192.0.2.1']] }),
});
const classify = (thrown: unknown, { doing }: { readonly doing: string }): SinkError =>
  SinkError.isInstance(thrown) ? thrown : new SinkError('UNAVAILABLE', `Broken while ${doing}.`);

function report(
  run: (on: ConnectionTest) => Promise<unknown>,
  options: Omit<Partial<ConnectionTestOptions>, 'scope'> & { readonly signal?: AbortSignal } = {},
): Promise<ConnectionReport> {
  const { signal = new AbortController().signal, ...rest } = options;
  const operations = createOperations({ sinkType: 'topic', name: 'portal', classify });
  return operations.run({ operation: 'test-connection', doing: 'testing the connection', signal }, async (scope) => {
    const on = createConnectionTest({ scope, egress, timeoutMs: 1_000, ...rest });
    await run(on);
    return on.report();
  });
}

describe('a report', () => {
  test('tells what passed, what is a warning, and hands values on', async () => {
    const { ok, steps } = await report(async (on) => {
      const seven = await on.step({ name: 'first', doing: 'a', after: 'start' }, async (previous) => ({
        found: previous,
        value: 7,
      }));
      await on.step({ name: 'second', doing: 'b', after: seven }, async (number) => ({
        found: String(number),
        value: true,
        warning: { code: 'TLS_FAILED', remedy: 'renew' },
      }));
    });
    expect(ok).toBe(true);
    expect(steps).toMatchObject([
      { name: 'first', status: 'passed', code: 'OK', found: 'start' },
      { name: 'second', status: 'warning', code: 'TLS_FAILED', found: '7', remedy: 'renew' },
    ]);
  });

  test('tells what failed by the words of the step, and skips what builds on it', async () => {
    const { ok, steps } = await report(async (on) => {
      const nothing = await on.step({ name: 'first', doing: 'looking', after: true }, () =>
        Promise.reject(new Error('x')),
      );
      await on.step({ name: 'second', doing: 'b', after: nothing }, async () => ({ found: '', value: true }));
    });
    expect(ok).toBe(false);
    expect(steps).toMatchObject([
      {
        status: 'failed',
        code: 'UNAVAILABLE',
        found: 'Broken while looking.',
        remedy: 'Check host, port and firewall, and that the server runs.',
      },
      { status: 'skipped', code: 'SKIPPED' },
    ]);
    expect(steps[1]).not.toHaveProperty('remedy');
  });

  test('takes the remedy of the error, of the step, of the sink and of core, in this order, and says it once', async () => {
    const failWith = (code: 'NOT_FOUND' | 'CONFLICT' | 'OVERLOADED', remedy?: string) => () =>
      Promise.reject(new SinkError(code, 'Something is missing.', { remedy }));
    const { steps } = await report(
      async (on) => {
        const remedies = { NOT_FOUND: 'of the step' };
        await on.step({ name: '1', doing: 'a', after: 1, remedies }, failWith('NOT_FOUND', 'Make it.'));
        await on.step({ name: '2', doing: 'a', after: 1, remedies }, failWith('NOT_FOUND'));
        await on.step({ name: '3', doing: 'a', after: 1 }, failWith('NOT_FOUND'));
        await on.step({ name: '4', doing: 'a', after: 1 }, failWith('OVERLOADED'));
      },
      { remedies: { NOT_FOUND: 'of the sink' } },
    );
    expect(steps.map(({ remedy }) => remedy)).toEqual([
      'Make it.',
      'of the step',
      'of the sink',
      'Give the server more room, or let fewer clients use it.',
    ]);
    for (const { found } of steps) expect(found).toBe('Something is missing.');
  });

  test('goes on after a step that did not answer in time', async () => {
    const { steps } = await report(
      async (on) => {
        await on.step({ name: 'silent', doing: 'waiting', after: true }, () => new Promise<never>(() => undefined));
        await on.step({ name: 'next', doing: 'b', after: true }, async () => ({ found: 'it', value: true }));
      },
      { timeoutMs: 1 },
    );
    expect(steps).toMatchObject([
      { code: 'TIMEOUT', found: 'Gave up waiting after 1 ms without an answer.' },
      { status: 'passed' },
    ]);
  });

  test('rejects where the caller aborted', async () => {
    const caller = new AbortController();
    const testing = report(
      (on) => on.step({ name: 'silent', doing: 'waiting', after: true }, () => new Promise<never>(() => undefined)),
      { signal: caller.signal },
    );
    caller.abort();
    await expect(testing).rejects.toMatchObject({ code: 'ABORTED', operation: 'test-connection' });
    expect(getEventListeners(caller.signal, 'abort')).toEqual([]);
  });
});

describe('steps of every sink', () => {
  test('credentials: a host that cannot read its secret is not told to check the firewall', async () => {
    const context = {
      credentials: () => Promise.reject(new SinkError('CREDENTIALS_UNAVAILABLE', 'The credentials cannot be read.')),
      tls: () => Promise.resolve({}),
    };
    const { steps } = await report((on) => on.credentials(context, () => ({ found: '', value: 1 })));
    expect(steps).toMatchObject([
      {
        name: 'credentials',
        code: 'CREDENTIALS_UNAVAILABLE',
        remedy: 'Make the secret readable for the operator: what the host gave to read it failed.',
      },
    ]);
  });

  test('resolve and connect: every server in one form, and one that answers is enough', async () => {
    const server = await startServer();
    const port = await closedPort();
    const { ok, steps } = await report(async (on) => {
      const resolved = await on.resolve([
        { host: 'db.example', port: server.port },
        { host: '::1', port },
        { host: 'denied.example', port: 1 },
      ]);
      const connected = await on.connect(resolved);
      expect(connected).toEqual([{ host: 'db.example', port: server.port }]);
    });
    await server.stop();
    expect(ok).toBe(true);
    expect(steps).toMatchObject([
      { name: 'resolve', status: 'warning', code: 'EGRESS_DENIED' },
      { name: 'connect', status: 'warning', code: 'UNAVAILABLE' },
    ]);
    expect(steps[0]?.found).toBe(
      'db.example is 127.0.0.1. ::1 is an address, and allowed. The egress policy of this operator forbids "192.0.2.1" (denied by the host), which "denied.example" resolves to.',
    );
    expect(steps[1]?.found).toBe(
      `db.example:${server.port} accepts connections. Cannot connect to [::1]:${port}: ECONNREFUSED.`,
    );
  });

  test('connect: a server that does not answer in time keeps none that does', async () => {
    const server = await startServer();
    const silentPort = await closedPort();
    const slow = {
      ...egress,
      dial: (to: DialOptions) => (to.port === silentPort ? new Promise<never>(() => undefined) : egress.dial(to)),
    };
    const host = '127.0.0.1';
    const servers = [
      { host, port: silentPort },
      { host, port: server.port },
    ];
    const { steps } = await report((on) => on.connect(servers), { egress: slow, timeoutMs: 200 });
    await server.stop();
    expect(steps).toMatchObject([{ status: 'warning', code: 'TIMEOUT' }]);
    expect(steps[0]?.found).toBe(
      `Gave up connecting to 127.0.0.1:${silentPort} after 200 ms without an answer. 127.0.0.1:${server.port} accepts connections.`,
    );
  });

  test('connect: fails as the first does where none answers', async () => {
    const port = await closedPort();
    const { steps } = await report((on) => on.connect([{ host: '127.0.0.1', port }]));
    expect(steps).toMatchObject([{ status: 'failed', code: 'UNAVAILABLE' }]);
  });

  test('are skipped after one that failed', async () => {
    const { steps } = await report(async (on) => {
      await on.resolve(undefined);
      await on.connect(undefined);
      await on.tls({ after: undefined, tls: () => ({}) });
    });
    expect(steps.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'resolve skipped',
      'connect skipped',
      'tls skipped',
    ]);
  });
});
