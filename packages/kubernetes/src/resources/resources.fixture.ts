import { apiVersion } from './resource-types.ts';

/** A resource as the API server gives it. */
export function resource(kind: string, spec: unknown, metadata: object = {}): Record<string, unknown> {
  return {
    apiVersion,
    kind,
    metadata: { namespace: 'shop', name: 'portal', uid: 'u-1', generation: 1, resourceVersion: '7', ...metadata },
    spec,
  };
}

export const postgresSpec = { type: 'postgres', postgres: { database: 'inventory', table: 'workloads' } };
export const kafkaSpec = { type: 'kafka', kafka: { brokers: ['kafka.shop:9093'], topic: 'inventory' } };
export const natsSpec = { type: 'nats', nats: { servers: ['nats.shop:4222'], stream: 'inventory' } };
export const targetSpec = {
  resources: [{ apiVersion: 'apps/v1', kind: 'Deployment' }],
  attributes: { replicas: '.spec.replicas' },
};
export const inventorySpec = { sinkRefs: [{ name: 'portal' }], targetRefs: [{ name: 'deployments' }] };
