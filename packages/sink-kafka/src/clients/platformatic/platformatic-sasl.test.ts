import { expect, test } from '@jest/globals';
import type { Connection, SASLOptions } from '@platformatic/kafka';
import { createEgressPolicy } from '@kollect/core';
import { saslOptions } from './platformatic-sasl.ts';

/** What a login as this user ends with, and what it had sent by then. */
async function logInAs(
  username: string,
  answered?: (sent: Buffer) => string,
): Promise<{ readonly error: unknown; readonly sent: readonly Buffer[] }> {
  const sent: Buffer[] = [];
  const options = saslOptions({
    brokers: [],
    clientId: 'kollect',
    compression: 'none',
    acks: 'all',
    idempotent: false,
    sasl: { mechanism: 'scram-sha-256' },
    requestTimeoutMs: 1,
    connectTimeoutMs: 1,
    credentials: async () => ({ username, password: 'hunter2' }),
    tls: async () => undefined,
    egress: createEgressPolicy(),
    log: () => undefined,
  }) as SASLOptions & { readonly authenticate: (...given: readonly unknown[]) => void };
  const refused = new Error('the broker went away');
  const api = (_connection: Connection, bytes: Buffer, answer: (error: Error | null, login?: object) => void): void => {
    sent.push(bytes);
    if (answered === undefined) answer(refused);
    else answer(null, { authBytes: Buffer.from(answered(bytes)), sessionLifetimeMs: 0n });
  };
  const error = await new Promise<unknown>((resolve) => options.authenticate('', {}, api, '', '', '', resolve));
  return { error, sent };
}

test('a name that the library would not escape is refused before anything is sent', async () => {
  const { error, sent } = await logInAs('admin,a=x,r=hunter2');
  expect(error).toMatchObject({
    code: 'SPEC_INVALID',
    message: expect.stringContaining('username holds several commas'),
  });
  expect(String(error)).not.toContain('hunter2');
  expect(sent).toEqual([]);
});

test('one comma and any number of "=" are escaped', async () => {
  const { sent } = await logInAs('a=b=c,d');
  expect(String(sent[0])).toContain('n=a=3Db=3Dc=2Cd,r=');
});

test('work that nobody could cut short is not begun, however many iterations the server asks for', async () => {
  const first = (sent: Buffer): string => `${/r=.*$/.exec(String(sent))?.[0] ?? ''}x,s=c2FsdA==,i=2147483647`;
  const { error, sent } = await logInAs('admin', first);
  expect(error).toMatchObject({ cause: { code: 'UNREADABLE_ANSWER' } });
  expect(sent).toHaveLength(1);
});
