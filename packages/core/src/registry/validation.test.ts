import { expect, test } from '@jest/globals';
import { sinkErrorOf, tableSink } from './registry.fixture.ts';

const messageOf = (block: unknown): string => {
  const error = sinkErrorOf(() => tableSink.parseSpec(block, 'orders'));
  expect([error.code, error.operation, error.sinkType, error.retryable]).toEqual([
    'SPEC_INVALID',
    'create',
    'table',
    false,
  ]);
  const subject = 'The spec of sink "orders" (type "table") is invalid: ';
  expect(error.message.slice(0, subject.length)).toBe(subject);
  return error.message.slice(subject.length);
};

test('defaults are filled in, at every level, in a copy that is frozen', () => {
  const block = Object.freeze({ table: 'inventory', mode: undefined });
  const spec = tableSink.parseSpec(block);
  expect(spec).toEqual({
    table: 'inventory',
    mode: 'upsert',
    timeout: '30s',
    poolSize: 4,
    tls: { mode: 'verify-full' },
  });
  expect(Object.isFrozen(spec) && Object.isFrozen(spec.tls)).toBe(true);
  expect(block).toEqual({ table: 'inventory', mode: undefined });
});

test('an optional field written as undefined counts as left out', () => {
  expect(
    Object.keys(tableSink.parseSpec({ table: 'a', analyze: undefined, tls: { serverName: undefined } }).tls),
  ).toEqual(['mode']);
});

test('a later change of the block does not reach the spec', () => {
  const block = { table: 'a', labels: { team: 'x' } };
  const spec = tableSink.parseSpec(block);
  block.labels.team = 'y';
  expect(spec.labels).toEqual({ team: 'x' });
});

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

test.each<[string, unknown, string | RegExp]>([
  [
    'a token in the place of a name',
    { table: 'a', [`ghp_${'a1'.repeat(18)}`]: 4 },
    '$.table[text that is not shown because it may hold a secret] is not a known field; known: table, mode, timeout, poolSize, analyze, maxDeletes, brokers, labels, password, tls.',
  ],
  ['typo', { table: 'a', polSize: 4 }, '$.table.polSize is not a known field; did you mean "poolSize"?'],
  [
    'nested typo',
    { table: 'a', tls: { servername: 'a' } },
    '$.table.tls.servername is not a known field; did you mean "serverName"?',
  ],
  [
    'far name',
    { table: 'a', tls: { zzzzzz: 'a' } },
    '$.table.tls.zzzzzz is not a known field; known: mode, serverName.',
  ],
  ['missing', {}, '$.table.table is missing: expected a string.'],
  ['no block', undefined, '$.table.table is missing: expected a string.'],
  ['not an object', 'x', '$.table: expected an object, found the string "x".'],
  ['array for an object', [], '$.table: expected an object, found an array of 0.'],
  ['wrong type', { table: 5 }, '$.table.table: expected a string, found the number 5.'],
  ['no coercion', { table: 'a', poolSize: '4' }, '$.table.poolSize: expected an integer, found the string "4".'],
  ['fraction', { table: 'a', poolSize: 1.5 }, '$.table.poolSize: expected an integer, found the number 1.5.'],
  [
    'not a number',
    { table: 'a', poolSize: Number.NaN },
    '$.table.poolSize: expected an integer, found the number NaN.',
  ],
  ['null', { table: 'a', analyze: null }, '$.table.analyze: expected a boolean, found null.'],
  ['too small', { table: 'a', poolSize: 0 }, '$.table.poolSize: expected a number of at least 1, found the number 0.'],
  [
    'too large',
    { table: 'a', poolSize: 101 },
    '$.table.poolSize: expected a number of at most 100, found the number 101.',
  ],
  ['empty', { table: '' }, '$.table.table: expected text that is not empty, found an empty string.'],
  [
    'enum',
    { table: 'a', mode: 'apend' },
    '$.table.mode: expected one of "upsert", "append", found the string "apend"; did you mean "append"?',
  ],
  [
    'enum of another type',
    { table: 'a', mode: 5 },
    '$.table.mode: expected one of "upsert", "append", found the number 5.',
  ],
  [
    'either, neither',
    { table: 'a', maxDeletes: true },
    '$.table.maxDeletes: expected an integer or a string, found the boolean true.',
  ],
  [
    'either, number',
    { table: 'a', maxDeletes: -1 },
    '$.table.maxDeletes: expected a number of at least 0, found the number -1.',
  ],
  [
    'either, text',
    { table: 'a', maxDeletes: '5' },
    '$.table.maxDeletes: expected text that fits its description ("A number or a percentage."), found the string "5".',
  ],
  [
    'duration',
    { table: 'a', timeout: '5 min' },
    '$.table.timeout: expected a duration such as "250ms", "30s", "5m" or "1h30m", found the string "5 min".',
  ],
  ['element', { table: 'a', brokers: ['a', 5] }, '$.table.brokers[1]: expected a string, found the number 5.'],
  ['no elements', { table: 'a', brokers: [] }, '$.table.brokers: expected at least 1 element, found an array of 0.'],
  [
    'map',
    { table: 'a', labels: { 'app/team': 1 } },
    '$.table.labels["app/team"]: expected a string, found the number 1.',
  ],
  [
    '__proto__',
    JSON.parse('{"table":"a","__proto__":{"mode":"append"}}'),
    '$.table.__proto__ is not a known field; known: table, mode, timeout, poolSize, analyze, maxDeletes, brokers, labels, password, tls.',
  ],
  [
    'inherited',
    { table: 'a', constructor: 1 },
    '$.table.constructor is not a known field; known: table, mode, timeout, poolSize, analyze, maxDeletes, brokers, labels, password, tls.',
  ],
  ['a function', { table: () => 'a' }, '$.table.table is a function, which is not data: remove it.'],
  [
    'a Map',
    { table: 'a', labels: new Map() },
    '$.table.labels is an instance of Map, which is not data: give a plain object, a list or a text.',
  ],
  [
    'a Date in a list',
    { table: 'a', brokers: [new Date(0)] },
    '$.table.brokers[0] is an instance of Date, which is not data: give a plain object, a list or a text.',
  ],
  [
    'a getter that throws',
    {
      table: 'a',
      tls: {
        get mode() {
          throw new Error('geheim');
        },
      },
    },
    '$.table.tls cannot be read, since a getter or a proxy of it throws: give plain data.',
  ],
  [
    'a revoked proxy',
    { table: 'a', labels: revoked() },
    '$.table.labels cannot be read, since a getter or a proxy of it throws: give plain data.',
  ],
  ['U+0000', { table: 'k\0user\0nobody' }, '$.table.table holds the character U+0000 at character 2: remove it.'],
  [
    'a line break',
    { table: 'a', labels: { x: 'a\nb' } },
    '$.table.labels.x holds a line break at character 2: remove it.',
  ],
  [
    'half a surrogate pair, in a list',
    { table: 'a', brokers: ['a', '\ud800'] },
    '$.table.brokers[1] holds the character U+D800 at character 1: remove it.',
  ],
  [
    'a control character in a key',
    { table: 'a', labels: { '\u001b[31m': 'x' } },
    'a key of $.table.labels holds the character U+001B at character 1: remove it.',
  ],
  [
    'a secret',
    { table: 'a', labels: { db: 'postgres://app:geheim@db/x' } },
    '$.table.labels.db holds what looks like a secret, and a spec holds none: put it into the credentials.',
  ],
  ['a pattern', { table: 'a', password: 'x' }, /^\$\.table\.password: expected text that fits its description/u],
])('%s', (_, block, message) => {
  if (typeof message === 'string') expect(messageOf(block)).toBe(message);
  else expect(messageOf(block)).toMatch(message);
});

test.each<[string, unknown]>([
  ['secret field', { table: 'a', password: 'geheim' }],
  ['secret field of the wrong type', { table: 'a', password: 4711 }],
  ['URL with userinfo', { table: 'a', maxDeletes: 'postgres://app:geheim4711@db/x' }],
  ['object in the wrong place', { table: { password: 'geheim4711' } }],
  ['unknown secret', { table: 'a', dsn: 'geheim4711' }],
  ['secret as a key', { table: 'a', 'postgres://app:geheim4711@db': 1 }],
  ['secret in a map', { table: 'a', labels: { apiToken: 4711 } }],
])('no message shows a secret: %s', (_, block) => {
  expect(messageOf(block)).not.toMatch(/geheim|4711/u);
});

test('several problems are numbered', () => {
  expect(messageOf({ tabel: 'a', poolSize: 0 })).toBe(
    '(1) $.table.table is missing: expected a string; (2) $.table.tabel is not a known field; did you mean "table"?; ' +
      '(3) $.table.poolSize: expected a number of at least 1, found the number 0.',
  );
});

test('at most ten problems are listed', () => {
  const message = messageOf({ table: 'a', brokers: Array.from({ length: 14 }, () => 1) });
  expect(message).toContain('(10) $.table.brokers[9]: ');
  expect(message).not.toContain('(11)');
  expect(message).toContain('; and 4 more.');
});

test('a cyclic block is refused and ends', () => {
  const block: Record<string, unknown> = { table: 'a' };
  block['self'] = block;
  expect(messageOf(block)).toBe('$.table.self leads back to an object that holds it: break the cycle.');
});
