import { expect, test } from '@jest/globals';
import { SinkError } from '../contract/errors/errors.ts';
import { carriedIpv4, inRange, parseIpAddress, parseIpRange } from './ip-address.ts';

test.each([
  '2852039166',
  '0xa9fea9fe',
  '0251.0376.0251.0376',
  '169.254.43518',
  '127.1',
  '[::1]',
  '1.2.3.4 ',
  '',
  'localhost',
  '::1/128',
])('%j is not an address, only a name for the resolver', (text) => {
  expect(parseIpAddress(text)).toBeUndefined();
});

test.each([
  ['::ffff:169.254.169.254', '169.254.169.254'],
  ['::ffff:a9fe:a9fe', '169.254.169.254'],
  ['::ffff:a9fe:a9fe%eth0', '169.254.169.254'],
  ['::ffff:169.254.169.254%eth0', '169.254.169.254'],
  ['::169.254.169.254%1', '169.254.169.254'],
  ['::169.254.169.254', '169.254.169.254'],
  ['::a9fe:a9fe', '169.254.169.254'],
  ['::ffff:0:a9fe:a9fe', '169.254.169.254'],
  ['64:ff9b::a9fe:a9fe', '169.254.169.254'],
  ['64:ff9b:1::a9fe:a9fe', '169.254.169.254'],
  ['2002:a9fe:a9fe::1', '169.254.169.254'],
  ['::1', undefined],
  ['::', undefined],
  ['2001:db8::a9fe:a9fe', undefined],
  ['10.0.0.1', undefined],
])('%s carries %s', (text, carried) => {
  const address = parseIpAddress(text);
  if (address === undefined) throw new Error('expected an address');
  expect(carriedIpv4(address)?.toString()).toBe(carried);
});

test.each([
  ['10.0.0.0/8', '10.255.255.255', true],
  ['10.1.2.3/8', '10.9.9.9', true],
  ['10.0.0.0/8', '11.0.0.0', false],
  ['10.0.0.1', '10.0.0.1', true],
  ['10.0.0.1', '10.0.0.2', false],
  ['0.0.0.0/0', '8.8.8.8', true],
  ['0.0.0.0/0', '::1', false],
  ['fd00::/8', 'fd12::1%eth0', true],
])('%s holds %s: %p', (range, text, held) => {
  const address = parseIpAddress(text);
  if (address === undefined) throw new Error('expected an address');
  expect(inRange(address, parseIpRange(range, 'allow'))).toBe(held);
});

test.each([
  '',
  '10.0.0.0/33',
  '10.0.0.0/-1',
  '10.0.0.0/',
  '10.0.0.0/8/8',
  '10/8',
  'localhost',
  'fe80::1%eth0/64',
  '::/129',
  '10.0.0.0/8 ',
])('the range %j is refused', (text) => {
  expect(() => parseIpRange(text, 'allow')).toThrow(SinkError);
  expect(() => parseIpRange(text, 'allow')).toThrow(/allow: expected a range such as/u);
});
