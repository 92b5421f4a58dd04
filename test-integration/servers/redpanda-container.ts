import { randomUUID } from 'node:crypto';
import { RedpandaContainer } from '@testcontainers/redpanda';
import type { ContainerRuntimeClient } from 'testcontainers';
import type { KafkaBackend, KafkaBackendOptions } from './kafka-backend.ts';
import { containerLog, containerNode, removeContainer } from './kafka-container.ts';
import { freePort } from './ports.ts';
import { containerHost } from './postgres-container.ts';
import { watch } from './watchdog.ts';

const IMAGE = 'docker.redpanda.com/redpandadata/redpanda:v25.3.1';
const KAFKA_PORT = 9_092;
const PULL_AND_START_MS = 300_000;

/** The image of Redpanda that KOLLECT_TEST_KAFKA_IMAGE asks for, `redpanda` alone being one of ours; undefined where it asks for none. */
export function redpandaImage(): string | undefined {
  const image = process.env['KOLLECT_TEST_KAFKA_IMAGE'] ?? '';
  if (image === 'redpanda') return IMAGE;
  return image.includes('redpanda') ? image : undefined;
}

/** Starts Redpanda on a fixed host port: one node, plaintext alone. */
export async function startRedpanda(
  engine: ContainerRuntimeClient,
  options: KafkaBackendOptions,
): Promise<KafkaBackend> {
  const image = redpandaImage() ?? IMAGE;
  if (options.nodes > 1 || options.startProxy) {
    throw new Error(
      'Redpanda is run with one node and without a proxy: start Kafka for this, with KOLLECT_TEST_KAFKA_IMAGE left away.',
    );
  }
  const name = `kollect-redpanda-${randomUUID()}`;
  const host = containerHost(engine);
  const port = await freePort();
  const release = options.keep ? () => undefined : watch({ container: name });
  const dispose = async (): Promise<void> => {
    await removeContainer(engine, name);
    release();
  };
  try {
    const container = new RedpandaContainer(image)
      .withName(name)
      .withExposedPorts({ container: KAFKA_PORT, host: port })
      .withStartupTimeout(PULL_AND_START_MS)
      .withAutoCleanup(!options.keep);
    await container.start();
  } catch (error) {
    const log = await containerLog(engine, name).catch(() => '');
    await dispose();
    throw new Error(`Redpanda in a container of ${image} did not start: ${String(error)}\n${log}`.trim(), {
      cause: error,
    });
  }
  const address = `${host}:${port}`;
  return {
    kind: 'redpanda',
    version: image,
    host,
    // Redpanda counts from 0.
    nodes: [containerNode(engine, name, 0, address)],
    listeners: { plaintext: [address] },
    stopCommand: `docker rm -f -v ${name}`,
    dispose,
  };
}
