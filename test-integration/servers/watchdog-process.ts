// Started by watchdog.ts. Reads what to watch, line by line, until its parent is gone; then removes all that is still watched.
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { endProcess } from './processes.ts';
import type { WatchdogMessage, WatchedResource } from './watchdog.ts';

const PATIENCE_MS = 10_000;
const watched = new Map<number, WatchedResource>();

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

for await (const line of createInterface({ input: process.stdin })) {
  const { id, resource }: WatchdogMessage = JSON.parse(line);
  if (resource === undefined) watched.delete(id);
  else watched.set(id, resource);
}

const resources = [...watched.values()];
await Promise.allSettled(
  resources.map(async ({ process }) => process && endProcess(process.pid, process.signal, PATIENCE_MS)),
);
await Promise.allSettled(resources.map(async ({ container }) => container && removeContainer(container)));
await Promise.allSettled(resources.map(async ({ network }) => network && removeNetwork(network)));
await Promise.allSettled(
  resources.map(async ({ directory }) => directory && rm(directory, { recursive: true, force: true })),
);
process.exit();

async function removeContainer(name: string): Promise<void> {
  // Imported here alone: most runs of this process have no container to remove, and it is to be small.
  const { getContainerRuntimeClient } = await import('testcontainers');
  const client = await getContainerRuntimeClient();
  await client.container.getById(name).remove({ force: true, v: true });
}

async function removeNetwork(id: string): Promise<void> {
  const { getContainerRuntimeClient } = await import('testcontainers');
  const client = await getContainerRuntimeClient();
  await client.network.remove(client.network.getById(id));
}
