import { describe, expect, test } from '@jest/globals';
import { formatServerAddress, parseHost, parsePort, parseServerAddress } from './server-address.ts';

const label = (length: number): string => 'a'.repeat(length);
const host253 = [label(63), label(63), label(63), label(61)].join('.');

describe('an address', () => {
  test.each<[string, string, number]>([
    ['kafka-0.example:9092', 'kafka-0.example', 9092],
    ['kafka_1:9092', 'kafka_1', 9092],
    ['localhost:1', 'localhost', 1],
    ['10.0.0.7:65535', '10.0.0.7', 65_535],
    ['[2001:db8::1]:9092', '2001:db8::1', 9092],
    ['[fe80::1%eth0]:9092', 'fe80::1%eth0', 9092],
    ['db.example.:5432', 'db.example.', 5432],
    ['bücher.example:5432', 'bücher.example', 5432],
    [`${label(63)}.example:1`, `${label(63)}.example`, 1],
    [`${host253}:1`, host253, 1],
  ])('%s', (text, host, port) => {
    expect(parseServerAddress(text)).toEqual({ value: { host, port } });
    expect(formatServerAddress({ host, port })).toBe(text);
  });

  test.each<[string, RegExp]>([
    ['kafka-0.example', /the port is missing/],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl:9092', /looks like a token/],
    [`glpat-${'a1'.repeat(10)}:9092`, /looks like a token/],
    ['a..b:9092', /no empty part between dots/],
    ['.a:9092', /no empty part/],
    ['-a.example:9092', /begins or ends with "-"/],
    ['a-.example:9092', /begins or ends with "-"/],
    ['256.1.1.1:9092', /looks like an IPv4 address and is none/],
    ['1.2.3:9092', /looks like an IPv4/],
    ['127.1:9092', /looks like an IPv4/],
    ['0x7f.1:9092', /looks like an IPv4/],
    ['0x7f:9092', /looks like an IPv4/],
    ['１２７.0.0.1:9092', /looks like an IPv4/],
    [`${label(64)}.example:9092`, /at most 63 bytes/],
    [`${host253}a:9092`, /at most 63 bytes|at most 253 bytes/],
    [`${label(50)}.${host253}:9092`, /at most 253 bytes/],
    [`${'ü'.repeat(60)}.example:9092`, /at most 63 bytes|a name of letters/],
    ['a:0', /1 to 65535/],
    ['a:65536', /1 to 65535/],
    ['a:9092:9093', /1 to 65535/],
    ['a:', /1 to 65535/],
    [':9092', /host is missing/],
    ['', /host is missing/],
    ['::1:9092', /brackets/],
    ['::1', /stands in brackets/],
    ['[::1]', /port is missing/],
    ['[10.0.0.1]:9092', /brackets hold an IPv6/],
    ['[a]:9092', /brackets hold an IPv6/],
    ['a:9092,b:9092', /found a list/],
    ['app:hunter2@host:9092', /no scheme, user or path/],
    ['host:9092?password=hunter2', /no scheme, user or path/],
    ['kafka://host:9092', /no scheme, user or path/],
    ['a b:9092', /a name of letters/],
    ['a\0b:9092', /a name of letters/],
    ['a:9092\n', /1 to 65535/],
    ['hunter2%:9092', /a name of letters/],
  ])('%j is refused, and not repeated', (text, problem) => {
    const parsed = parseServerAddress(text);
    expect(parsed).toEqual({ problem: expect.stringMatching(problem) });
    expect(parsed.problem).not.toContain('hunter2');
    expect(parsed.problem).toMatch(/^expected host:port, such as/);
  });

  test('the port may be left out where there is a default', () => {
    expect(parseServerAddress('db.example', { defaultPort: 5432 })).toEqual({
      value: { host: 'db.example', port: 5432 },
    });
    expect(parseServerAddress('[::1]', { defaultPort: 5432 })).toEqual({ value: { host: '::1', port: 5432 } });
    expect(parseServerAddress('db:x', { defaultPort: 5432 }).problem).toMatch(/^expected host or host:port/);
  });
});

test.each<[string, string]>([
  ['db.example', 'db.example'],
  ['[::1]', '::1'],
  ['::1', '::1'],
  ['10.0.0.1', '10.0.0.1'],
])('the host %s', (text, host) => {
  expect(parseHost(text)).toEqual({ value: host });
});

test.each<[string, RegExp]>([
  ['', /missing/],
  ['db:5433', /holds no ":"/],
  ['a,b', /not a list/],
  ['/var/run/postgresql', /path of a socket/],
  ['@pg', /path of a socket/],
  ['https://db', /holds no ":"/],
  ['a b\0', /a name of letters/],
])('the host %j is refused', (text, problem) => {
  expect(parseHost(text).problem).toMatch(problem);
});

test.each(['0', '65536', '-1', '1e3', ' 1', '', '٣'])('the port %j is refused', (text) => {
  expect(parsePort(text).problem).toMatch(/1 to 65535/);
});
