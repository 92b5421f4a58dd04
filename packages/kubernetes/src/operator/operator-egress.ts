import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import {
  tenantEgress,
  type DeliveryClock,
  type DeliveryLogger,
  type Egress,
  type TenantEgressOptions,
} from '@kollect/core';
import type { ApiObject, KubernetesApi, ResourceType } from '../api/kubernetes-api.ts';
import { fieldOf } from '../status/conditions.ts';
import { limitSilence, untilAborted } from '../watch/time-limit.ts';

const services: ResourceType = { apiVersion: 'v1', kind: 'Service', plural: 'services', namespaced: true };
const slices: ResourceType = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  namespaced: true,
};
/** Where every cluster says under which addresses its API server is. */
const own = { namespace: 'default', name: 'kubernetes' };

/** Nothing of the operator waits longer for it. */
const answerMs = 10_000;

export interface OperatorEgress {
  readonly egress: Egress;
  /** Looks again at which addresses the API server has. Never rejects. */
  refresh(signal: AbortSignal): Promise<void>;
}

export interface OperatorEgressOptions {
  readonly given: Egress | TenantEgressOptions | undefined;
  readonly api: Pick<KubernetesApi, 'list' | 'get'>;
  readonly clock: DeliveryClock;
  readonly logger: DeliveryLogger;
  /** Default the environment of the process, which every pod has. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** The policy for what resources of tenants name: the operator's own API server is denied, under every address that it has. */
export function createOperatorEgress({
  given,
  api,
  clock,
  logger,
  env = process.env,
}: OperatorEgressOptions): OperatorEgress {
  if (isEgress(given)) return { egress: given, refresh: () => Promise.resolve() };
  let addresses: readonly string[] = [];
  let current = tenantEgress(given);

  /** Empty where the API server does not say. */
  const ask = async (signal: AbortSignal, call: (signal: AbortSignal) => Promise<readonly string[]>) => {
    const limit = limitSilence(signal, { clock, ms: answerMs, reason: () => new Error('No answer.') });
    try {
      return await untilAborted(call(limit.signal), limit.signal);
    } catch {
      logger.warn({ ...own }, 'Not all addresses of the API server could be read: those that are known are denied.');
      return [];
    } finally {
      limit.end();
    }
  };
  const refresh = async (signal: AbortSignal): Promise<void> => {
    const found = await Promise.all([
      ofEnvironment(env),
      ask(signal, (limited) => ofService(api, limited)),
      ask(signal, (limited) => ofSlices(api, limited)),
    ]);
    const all = [...new Set([...addresses, ...found.flat()])].sort();
    if (all.join() === addresses.join()) return;
    addresses = all;
    current = tenantEgress({ ...given, deny: [...(given?.deny ?? []), ...all] });
  };
  return { egress: following(() => current), refresh };
}

/** The same policy, whatever it is by now. */
function following(current: () => Egress): Egress {
  return {
    dial: (options) => current().dial(options),
    socket: () => current().socket(),
    get lookup() {
      return ((host, options, callback) => current().lookup(host, options, callback)) as Egress['lookup'];
    },
    check: (address, host) => current().check(address, host),
    for: (who) => following(() => current().for?.(who) ?? current()),
  };
}

function isEgress(given: Egress | TenantEgressOptions | undefined): given is Egress {
  return typeof fieldOf(given, 'dial') === 'function';
}

async function ofEnvironment({ KUBERNETES_SERVICE_HOST: host }: Readonly<Record<string, string | undefined>>) {
  if (host === undefined || host === '') return [];
  const found = await lookup(host, { all: true }).catch(() => []);
  return found.map(({ address }) => address);
}

async function ofService(api: Pick<KubernetesApi, 'get'>, signal: AbortSignal): Promise<readonly string[]> {
  const service = await api.get(services, own, { signal });
  return addressesIn(fieldOf(service?.['spec'], 'clusterIPs'));
}

async function ofSlices(api: Pick<KubernetesApi, 'list'>, signal: AbortSignal): Promise<readonly string[]> {
  const labelSelector = 'kubernetes.io/service-name=kubernetes';
  const { items } = await api.list(slices, { namespace: own.namespace, labelSelector, limit: 100, signal });
  return items.flatMap((slice: ApiObject) => {
    const endpoints = slice['endpoints'];
    return Array.isArray(endpoints) ? endpoints.flatMap((each) => addressesIn(fieldOf(each, 'addresses'))) : [];
  });
}

function addressesIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string' && isIP(each) > 0) : [];
}
