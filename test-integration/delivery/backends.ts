import type { Backend } from './backend.ts';
import { startKafkaBackend } from './kafka-backend.ts';
import { startPostgresBackend } from './postgres-backend.ts';

export const backendNames = ['postgres', 'kafka'] as const;
export type BackendName = (typeof backendNames)[number];

export type Backends = Readonly<Record<BackendName, Backend>>;

/** Starts a server of each kind, side by side. */
export async function startBackends(): Promise<Backends> {
  const [postgres, kafka] = await Promise.all([startPostgresBackend(), startKafkaBackend()]);
  return { postgres, kafka };
}
