import { expect, test } from '@jest/globals';
import { SinkError } from '../contract/errors/errors.ts';
import { createEgressPolicy, type EgressPolicyOptions } from './egress-policy.ts';

const verdict = (address: string, options: EgressPolicyOptions = {}): string => {
  try {
    createEgressPolicy(options).check(address);
    return 'allowed';
  } catch (error) {
    if (SinkError.isInstance(error)) return error.code;
    throw error;
  }
};

test.each([
  '169.254.169.254',
  '169.254.0.1',
  '169.254.255.255',
  'fe80::1',
  'fe80::1%eth0',
  'febf::1',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
  'fd00:c1::a9fe:a9fe',
  'fd00:42::42',
  '100.96.0.96',
  '169.254.170.23',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  '0.0.0.0',
  '0.1.2.3',
  '::',
  '224.0.0.1',
  'ff02::1',
  'ff05::1%2',
  '240.0.0.1',
  '255.255.255.255',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  '::169.254.169.254',
  '64:ff9b::a9fe:a9fe',
  '2002:a9fe:a9fe::',
  '::ffff:0.0.0.0',
  '2852039166',
  '0x7f.1',
  'localhost',
  '',
])('by default %j is denied', (address) => {
  expect(verdict(address)).toBe('EGRESS_DENIED');
});

test.each([
  '127.0.0.1',
  '::1',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.0.1',
  'fd00::1',
  '8.8.8.8',
  '2001:4860::1',
  '64:ff9b::808:808',
  '::ffff:10.0.0.1',
  '169.253.255.255',
])('by default %s is allowed', (address) => {
  expect(verdict(address)).toBe('allowed');
});

test.each<[string, EgressPolicyOptions, string, string]>([
  ['deny adds', { deny: ['10.0.0.0/8'] }, '10.1.1.1', 'EGRESS_DENIED'],
  ['deny adds to the built-in', { deny: ['10.0.0.0/8'] }, '169.254.1.1', 'EGRESS_DENIED'],
  ['deny reaches a mapped address', { deny: ['10.0.0.0/8'] }, '::ffff:10.1.1.1', 'EGRESS_DENIED'],
  ['deny of a carrier', { deny: ['64:ff9b::/96'] }, '64:ff9b::808:808', 'EGRESS_DENIED'],
  ['allow wins over deny', { deny: ['10.0.0.0/8'], allow: ['10.1.0.0/16'] }, '10.1.1.1', 'allowed'],
  ['allow wins over the built-in', { allow: ['169.254.1.1'] }, '169.254.1.1', 'allowed'],
  ['allow opens no more than it says', { allow: ['169.254.1.1'] }, '169.254.169.254', 'EGRESS_DENIED'],
  [
    'an allowed carrier does not allow what it carries',
    { allow: ['64:ff9b::/96'] },
    '64:ff9b::a9fe:a9fe',
    'EGRESS_DENIED',
  ],
  ['all of IPv6 does not allow what it carries', { allow: ['::/0'] }, '::ffff:169.254.169.254', 'EGRESS_DENIED'],
  ['allowOnly, inside', { allowOnly: ['10.0.0.0/8'] }, '10.1.1.1', 'allowed'],
  ['allowOnly, inside and mapped', { allowOnly: ['10.0.0.0/8'] }, '::ffff:10.1.1.1', 'allowed'],
  ['allowOnly, outside', { allowOnly: ['10.0.0.0/8'] }, '127.0.0.1', 'EGRESS_DENIED'],
  ['allowOnly does not lift a denial', { allowOnly: ['0.0.0.0/0'] }, '169.254.169.254', 'EGRESS_DENIED'],
  ['allowOnly and deny', { allowOnly: ['10.0.0.0/8'], deny: ['10.1.0.0/16'] }, '10.1.1.1', 'EGRESS_DENIED'],
  ['allow beside allowOnly', { allowOnly: ['10.0.0.0/8'], allow: ['127.0.0.1'] }, '127.0.0.1', 'allowed'],
  ['allowOnly nothing', { allowOnly: [] }, '127.0.0.1', 'EGRESS_DENIED'],
])('%s', (_, options, address, expected) => {
  expect(verdict(address, options)).toBe(expected);
});

test('the message names address, reason and the name it came from', () => {
  expect(() => createEgressPolicy().check('169.254.169.254', 'db.example')).toThrow(
    'The egress policy of this operator forbids "169.254.169.254" (link-local, where cloud metadata lives), which "db.example" resolves to.',
  );
});

test.each<[string, EgressPolicyOptions]>([
  ['deny', { deny: ['10.0.0.0/33'] }],
  ['allow', { allow: ['db.example'] }],
  ['allowOnly', { allowOnly: ['10/8'] }],
])('a range that cannot be read is SPEC_INVALID naming %s', (option, options) => {
  expect(() => createEgressPolicy(options)).toThrow(`The egress policy's ${option}: expected a range`);
});

test.each<[string, unknown, string]>([
  ['a typo', { allowonly: ['10.0.0.0/8'] }, '"allowonly" is not known; did you mean "allowOnly"?'],
  ['text for a list', { allow: '10.0.0.0/8' }, 'allow must be a list, each of its elements printable text'],
  ['a number in a list', { deny: [5] }, 'deny must be a list'],
  ['null', null, 'must be an object with deny, allow, allowOnly, lookup, found null'],
  ['a lookup that is none', { lookup: 'dns' }, 'lookup must be a function'],
])('options that mean nothing are refused, and never ignored: %s', (_, options, message) => {
  expect(() => createEgressPolicy(options as EgressPolicyOptions)).toThrow(
    expect.objectContaining({ code: 'SPEC_INVALID', message: expect.stringContaining(message) }),
  );
});

test('a policy made for somebody says to whom it forbade the address, by every way out', async () => {
  const egress = createEgressPolicy().for?.('sink "orders" (type "table")');
  const message = /forbids "169\.254\.1\.1" \(link-local.*\) to sink "orders" \(type "table"\)\.$/u;
  expect(() => egress?.check('169.254.1.1')).toThrow(message);
  await expect(egress?.dial({ host: '169.254.1.1', port: 1 })).rejects.toThrow(message);
});
