import type { LookupAddress, LookupOptions } from 'node:dns';
import { expect, test } from '@jest/globals';
import { fakeLookup } from './connection.fixture.ts';
import { createEgressPolicy } from './egress-policy.ts';

interface Answer {
  readonly error: { readonly code?: unknown } | null;
  readonly address: string | LookupAddress[];
  readonly family: number | undefined;
}

const lookup = fakeLookup({
  'good.example': [['10.0.0.1', '10.0.0.2']],
  'mixed.example': [['169.254.169.254', '10.0.0.2', 'fe80::1']],
  'bad.example': [['169.254.169.254', '::ffff:100.100.100.200']],
  'empty.example': [[]],
});

const ask = (host: string, options: LookupOptions, policy = createEgressPolicy({ lookup })): Promise<Answer> =>
  new Promise((resolve) => {
    policy.lookup(host, options, (error, address, family) => {
      resolve({ error, address, family });
    });
  });

test('all allowed addresses, in order', async () => {
  expect((await ask('good.example', { all: true })).address).toEqual([
    { address: '10.0.0.1', family: 4 },
    { address: '10.0.0.2', family: 4 },
  ]);
});

test('the single form gives the first allowed one', async () => {
  expect(await ask('mixed.example', {})).toEqual({ error: null, address: '10.0.0.2', family: 4 });
});

test('denied addresses of a mixed answer are left out', async () => {
  expect((await ask('mixed.example', { all: true })).address).toEqual([{ address: '10.0.0.2', family: 4 }]);
});

test.each([
  ['bad.example', 'EGRESS_DENIED'],
  ['empty.example', 'ENOTFOUND'],
  ['unknown.example', 'ENOTFOUND'],
])('%s fails with %s', async (host, code) => {
  expect((await ask(host, { all: true })).error?.code).toBe(code);
  expect((await ask(host, {})).error?.code).toBe(code);
});

// The system's resolver reads these, as the operating system would when dialling.
test.each(['2852039166', '0xa9fea9fe', '0251.0376.0251.0376', '169.254.43518', '169.254.169.254'])(
  '%s is denied by what it resolves to',
  async (host) => {
    expect((await ask(host, { all: true }, createEgressPolicy())).error?.code).toBe('EGRESS_DENIED');
  },
);

test('a resolver that answers in the single form is checked as well', async () => {
  const single = createEgressPolicy({
    lookup: (_, __, callback) => {
      callback(null, '169.254.169.254', 4);
    },
  });
  expect((await ask('a.example', { all: true }, single)).error?.code).toBe('EGRESS_DENIED');
});
