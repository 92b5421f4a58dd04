import { expect, test } from '@jest/globals';
import { readHostIdentity, type HostIdentity, type HostIdentityGrant } from './host-identity.ts';
import { sinkErrorOf } from './registry.fixture.ts';

const types = ['postgres', 's3'];
const allowed = (
  grants: readonly HostIdentityGrant[] | undefined,
  type: string,
  name?: string,
): (keyof HostIdentity)[] => {
  const identity = readHostIdentity(grants, types)({ type, name });
  expect(Object.isFrozen(identity)).toBe(true);
  return (Object.keys(identity) as (keyof HostIdentity)[]).filter((part) => identity[part]);
};

test.each([[undefined], [[]], [[{ allow: [] }]]])('nothing is allowed unless the host says so: %j', (grants) => {
  expect(allowed(grants, 's3', 'team/backup')).toEqual([]);
});

test('a grant without types and sinks is for every sink', () => {
  expect(allowed([{ allow: ['proxy'] }], 's3', 'team/backup')).toEqual(['proxy']);
  expect(allowed([{ allow: ['proxy'] }], 'postgres')).toEqual(['proxy']);
});

test('a grant is for the types and the names that it lists, and for both where it lists both', () => {
  const grants: readonly HostIdentityGrant[] = [
    { allow: ['cloudCredentials', 'instanceMetadata'], types: ['s3'], sinks: ['platform/backup'] },
    { allow: ['clientConfig'], types: ['postgres'] },
  ];
  expect(allowed(grants, 's3', 'platform/backup')).toEqual(['cloudCredentials', 'instanceMetadata']);
  expect(allowed(grants, 's3', 'tenant/backup')).toEqual([]);
  expect(allowed(grants, 's3', 'platform/backup-2')).toEqual([]);
  expect(allowed(grants, 's3')).toEqual([]);
  expect(allowed(grants, 'postgres', 'platform/backup')).toEqual(['clientConfig']);
});

test('an empty list grants to nobody', () => {
  expect(allowed([{ allow: ['proxy'], types: [] }], 's3', 'a')).toEqual([]);
  expect(allowed([{ allow: ['proxy'], sinks: [] }], 's3', 'a')).toEqual([]);
});

test.each<[string, unknown, string]>([
  [
    'a field that would have narrowed it',
    { allow: ['proxy'], sink: ['a'] },
    '"sink" is not known; did you mean "sinks"?',
  ],
  ['nothing allowed', { types: ['s3'] }, 'allow is missing'],
  [
    'a part that there is none of',
    { allow: ['proxi'] },
    'allow names "proxi", which is not known; did you mean "proxy"?',
  ],
  [
    'a type that is not registered',
    { allow: ['proxy'], types: ['s4'] },
    'types names "s4", which is not known; did you mean "s3"?',
  ],
  ['text for a list', { allow: 'proxy' }, 'allow must be a list'],
  ['a name that is none', { allow: ['proxy'], sinks: [''] }, 'sinks must be a list'],
  ['text', 'proxy', 'must be an object'],
])('a slip opens no door: %s', (_, grant, message) => {
  const error = sinkErrorOf(() => readHostIdentity([grant as HostIdentityGrant], types));
  expect(error.code).toBe('SPEC_INVALID');
  expect(error.message).toContain('hostIdentity[0] of createSinkRegistry');
  expect(error.message).toContain(message);
});
