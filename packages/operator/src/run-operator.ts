import { KubeConfig } from '@kubernetes/client-node';
import type { DeliveryLogger } from '@kollect/core';
import { prometheusMetrics } from '@kollect/core/prometheus';
import { clientNode, createOperator, leaderElection } from '@kollect/kubernetes';
import { kafkaSink } from '@kollect/sink-kafka';
import { natsSink } from '@kollect/sink-nats';
import { postgresSink } from '@kollect/sink-postgres';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { serveEndpoints } from './http-endpoints.ts';
import type { OperatorSettings } from './operator-settings.ts';

export interface RunOperatorOptions {
  readonly settings: OperatorSettings;
  readonly logger: DeliveryLogger;
  readonly signal: AbortSignal;
  /** Default: that of the environment, or of the pod. */
  readonly config?: KubeConfig;
  /** Told once `/readyz` and the others are served. */
  readonly onListening?: (port: number) => void;
}

/** Works until the signal aborts, delivers what is owed, and resolves. Rejects with a SinkError where a setting or the kubeconfig cannot be used. */
export async function runOperator(options: RunOperatorOptions): Promise<void> {
  const { settings, logger, signal, onListening } = options;
  const { cluster, lease, leaseNamespace = '', allow, otherNamespaces, resync, port, host } = settings;
  const register = new Registry();
  const api = clientNode(options.config ?? defaultConfig());
  const operator = createOperator({
    api,
    sinks: [postgresSink, kafkaSink, natsSink],
    metrics: prometheusMetrics({ register }),
    egress: { allow },
    otherNamespaces: otherNamespaces ? 'allow' : 'deny',
    logger,
    ...(cluster === undefined ? {} : { cluster }),
    ...(resync === undefined ? {} : { resync }),
    ...(lease === undefined ? {} : { leader: leaderElection({ lease, namespace: leaseNamespace }) }),
  });
  collectDefaultMetrics({ register });
  const endpoints = await serveEndpoints({ port, host, register, health: () => operator.health });
  try {
    onListening?.(endpoints.port);
    await operator.run({ signal });
  } finally {
    await endpoints.close();
    await api.close();
  }
}

function defaultConfig(): KubeConfig {
  const config = new KubeConfig();
  config.loadFromDefault();
  return config;
}
