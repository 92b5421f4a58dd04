import { expect, test } from '@jest/globals';
import { createEgressPolicy, type DeliveryLogger } from '@kollect/core';
import { createFakeApi } from '../testing/fake-api.ts';
import { manualClock } from '../testing/manual-clock.fixture.ts';
import { createOperatorEgress } from './operator-egress.ts';

const quiet = (): void => undefined;
const logger: DeliveryLogger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const { signal } = new AbortController();
const clock = manualClock();
const slices = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', plural: 'endpointslices', namespaced: true };
const labels = { 'kubernetes.io/service-name': 'kubernetes' };

function cluster() {
  const api = createFakeApi({ resourceTypes: [slices] });
  const metadata = { namespace: 'default', name: 'kubernetes' };
  api.put({ apiVersion: 'v1', kind: 'Service', metadata, spec: { clusterIPs: ['203.0.113.1', '2001:db9::1'] } });
  const endpoints = [{ addresses: ['203.0.113.7'] }, { addresses: ['nonsense', 5, null] }, null, { addresses: 'x' }];
  api.put({ apiVersion: slices.apiVersion, kind: slices.kind, metadata: { ...metadata, labels }, endpoints });
  return api;
}

const denied = ['203.0.113.1', '2001:db9::1', '203.0.113.7', '203.0.113.9', '127.0.0.1', '169.254.169.254', '10.1.2.3'];
const env = { KUBERNETES_SERVICE_HOST: '203.0.113.9' };

test('the API server is denied under every address that it has, at every dial, whoever asked for the policy before', async () => {
  const { egress, refresh } = createOperatorEgress({ given: undefined, api: cluster(), clock, logger, env });
  const early = egress.for?.('sink "a"') ?? egress;
  expect(() => egress.check('203.0.113.1')).not.toThrow();
  await refresh(signal);
  for (const each of [egress, early]) {
    for (const address of denied)
      expect(() => each.check(address)).toThrow(expect.objectContaining({ code: 'EGRESS_DENIED' }));
    expect(() => each.check('203.0.113.50')).not.toThrow();
    await expect(each.dial({ host: '203.0.113.7', port: 443 })).rejects.toMatchObject({ code: 'EGRESS_DENIED' });
  }
});

test('private ranges that are opened leave the API server denied, and what is opened by name is open', async () => {
  const given = { privateRanges: 'allow', allow: ['203.0.113.7/32'] } as const;
  const { egress, refresh } = createOperatorEgress({
    given,
    api: cluster(),
    clock,
    logger,
    env: { KUBERNETES_SERVICE_HOST: '10.96.0.1' },
  });
  await refresh(signal);
  expect(() => egress.check('10.1.2.3')).not.toThrow();
  expect(() => egress.check('10.96.0.1')).toThrow(expect.objectContaining({ code: 'EGRESS_DENIED' }));
  expect(() => egress.check('203.0.113.7')).not.toThrow();
});

test('an API server that cannot be asked leaves denied what is known, and addresses that are gone stay denied', async () => {
  const api = cluster();
  const { egress, refresh } = createOperatorEgress({ given: undefined, api, clock, logger, env: {} });
  await refresh(signal);
  api.fail({ kind: 'status', status: 403, reason: 'Forbidden' });
  await refresh(signal);
  expect(() => egress.check('203.0.113.1')).toThrow(expect.objectContaining({ code: 'EGRESS_DENIED' }));
});

test('a policy of the host is taken as it is', async () => {
  const given = createEgressPolicy();
  const { egress, refresh } = createOperatorEgress({ given, api: cluster(), clock, logger, env });
  await refresh(signal);
  expect(egress).toBe(given);
});

test('an API server that says nothing holds up nobody for long', async () => {
  const api = cluster();
  api.fail({ kind: 'silence' });
  const { egress, refresh } = createOperatorEgress({ given: undefined, api, clock, logger, env });
  let ended = false;
  void refresh(signal).then(() => (ended = true));
  await clock.advance(11_000);
  expect(ended).toBe(true);
  expect(() => egress.check('203.0.113.9')).toThrow(expect.objectContaining({ code: 'EGRESS_DENIED' }));
});
