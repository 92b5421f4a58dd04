import { expect, test } from '@jest/globals';
import { readSettings, SettingsError } from './operator-settings.ts';

test('without anything it works alone, for tenants that may dial nothing inside', () => {
  expect(readSettings([], {})).toEqual({ help: false, port: 8_080, allow: [], otherNamespaces: false });
});

test('flags go before the environment', () => {
  const env = {
    KOLLECT_CLUSTER: 'a',
    KOLLECT_LEASE: 'kollect',
    POD_NAMESPACE: 'system',
    KOLLECT_PORT: '9090',
    KOLLECT_ALLOW: '10.0.0.0/8, 192.168.0.0/16',
    KOLLECT_OTHER_NAMESPACES: 'allow',
    KOLLECT_RESYNC: '5m',
    KOLLECT_HOST: '',
  };
  expect(readSettings(['--cluster', 'b', '--port', '0'], env)).toEqual({
    help: false,
    cluster: 'b',
    lease: 'kollect',
    leaseNamespace: 'system',
    port: 0,
    allow: ['10.0.0.0/8', '192.168.0.0/16'],
    otherNamespaces: true,
    resync: '5m',
  });
});

test.each([
  ['an unknown flag', ['--clutser', 'a'], {}, '--clutser'],
  ['a port that is none', ['--port', 'x'], {}, '--port'],
  ['a lease without a place', ['--lease', 'a'], {}, '--lease-namespace'],
  ['a word that is none', [], { KOLLECT_OTHER_NAMESPACES: 'yes' }, 'KOLLECT_OTHER_NAMESPACES'],
])('%s is refused', (_, args, env, named) => {
  expect(() => readSettings(args, env)).toThrow(SettingsError);
  expect(() => readSettings(args, env)).toThrow(named);
});
