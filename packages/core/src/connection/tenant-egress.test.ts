import { networkInterfaces } from 'node:os';
import { expect, test } from '@jest/globals';
import { SinkError } from '../contract/errors/errors.ts';
import { createEgressPolicy } from './egress-policy.ts';
import { tenantDenials, tenantEgress, type TenantEgressOptions } from './tenant-egress.ts';

const verdict = (address: string, options?: TenantEgressOptions): string => {
  try {
    tenantEgress(options).check(address);
    return 'allowed';
  } catch (error) {
    if (SinkError.isInstance(error)) return error.message;
    throw error;
  }
};

test.each([
  ['127.0.0.1', 'loopback'],
  ['::1', 'loopback'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['169.254.169.254', 'link-local'],
  ['fd00:ec2::23', 'cloud metadata'],
  ['10.96.0.1', 'private'],
  ['100.64.0.1', 'private'],
  ['fd12::1', 'private'],
])('a tenant may not dial %s (%s)', (address, reason) => {
  expect(verdict(address)).toContain(`(${reason}`);
});

test.each(['8.8.8.8', '2001:4860:4860::8888'])('a tenant may dial %s', (address) => {
  expect(verdict(address)).toBe('allowed');
});

test('the networks of this machine are denied, whatever ranges are open', () => {
  const own = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  expect(own.length).toBeGreaterThan(0);
  for (const { address } of own) expect(verdict(address, { privateRanges: 'allow' })).toContain('forbids');
});

test('private ranges are open where the host says so, and single ones with allow', () => {
  expect(verdict('10.255.255.1', { privateRanges: 'allow' })).toBe('allowed');
  expect(verdict('10.96.0.1', { allow: ['10.96.0.0/12'] })).toBe('allowed');
  expect(verdict('10.1.0.1', { allow: ['10.96.0.0/12'] })).toContain('private');
});

test.each([{ privateRange: 'allow' }, { privateRanges: 'open' }, { allow: '10.0.0.0/8' }])(
  '%j is refused',
  (options) => {
    expect(verdict('8.8.8.8', options as unknown as TenantEgressOptions)).toMatch(/^The options of tenantEgress: /u);
  },
);

test.each([
  '127.0.0.1',
  '::1',
  '169.254.169.254',
  'fd00:ec2::23',
  '0.0.0.0',
  '255.255.255.255',
  '10.96.0.1',
  '8.8.8.8',
])('the ranges that are denied on every machine say the same of %s', (address) => {
  for (const privateRanges of ['deny', 'allow'] as const) {
    const anywhere = createEgressPolicy({ deny: tenantDenials(privateRanges) });
    const check = (): void => anywhere.check(address);
    if (verdict(address, { privateRanges }) === 'allowed') expect(check).not.toThrow();
    else expect(check).toThrow('forbids');
  }
});
