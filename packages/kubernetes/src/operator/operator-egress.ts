import { lookup } from 'node:dns/promises';
import { tenantEgress, type DeliveryLogger, type Egress, type TenantEgressOptions } from '@kollect/core';
import type { ApiObject, KubernetesApi, ResourceType } from '../api/kubernetes-api.ts';
import { fieldOf } from '../status/conditions.ts';

const services: ResourceType = { apiVersion: 'v1', kind: 'Service', plural: 'services', namespaced: true };
const slices: ResourceType = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  namespaced: true,
};
/** Where every cluster says under which addresses its API server is. */
const own = { namespace: 'default', name: 'kubernetes' };

export interface OperatorEgress {
  readonly egress: Egress;
  /** Looks again at which addresses the API server has. Never rejects. */
  refresh(signal: AbortSignal): Promise<void>;
}

export interface OperatorEgressOptions {
  readonly given: Egress | TenantEgressOptions | undefined;
  readonly api: Pick<KubernetesApi, 'list' | 'get'>;
  readonly logger: DeliveryLogger;
  /** Default the environment of the process, which every pod has. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** The policy for what resources of tenants name: the operator's own API server is denied, under every address that it has. */
export function createOperatorEgress({ given, api, logger, env = process.env }: OperatorEgressOptions): OperatorEgress {
  if (isEgress(given)) return { egress: given, refresh: () => Promise.resolve() };
  let addresses: readonly string[] = [];
  let current = tenantEgress(given);

  const refresh = async (signal: AbortSignal): Promise<void> => {
    const found = await Promise.all([
      ofEnvironment(env),
      contained(() => ofService(api, signal), logger),
      contained(() => ofSlices(api, signal), logger),
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
  return Array.isArray(value) ? value.filter((each): each is string => /^[0-9A-Fa-f.:]+$/u.test(String(each))) : [];
}

async function contained(call: () => Promise<readonly string[]>, logger: DeliveryLogger): Promise<readonly string[]> {
  try {
    return await call();
  } catch {
    logger.warn(
      { ...own },
      'The addresses of the API server could not be read in full: only those that are known are denied.',
    );
    return [];
  }
}
