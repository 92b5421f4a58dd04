import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { KafkaContainer } from '@testcontainers/kafka';
import { Network, type ContainerRuntimeClient, type StartedNetwork, type StartedTestContainer } from 'testcontainers';
import {
  allUsers,
  certificateContents,
  randomClusterId,
  type KafkaBackend,
  type KafkaBackendOptions,
  type KafkaNode,
} from './kafka-backend.ts';
import type { KafkaListener } from './kafka-connection.ts';
import { CLIENT_LISTENERS, kafkaProperties, type ListenerAddress } from './kafka-properties.ts';
import { freePort } from './ports.ts';
import { containerHost } from './postgres-container.ts';
import { watch } from './watchdog.ts';

const IMAGE = 'confluentinc/cp-kafka:8.1.0';
const START_SCRIPT = '/tmp/testcontainers_start.sh';
const SECRETS = '/etc/kafka/secrets';
const DATA = '/var/lib/kafka/data';
const CONTROLLER_ID = 100;
const CONTROLLER_PORT = 29_093;
const INTERNAL_PORT = 29_092;
const PULL_AND_START_MS = 300_000;

/** The module's container with listeners of ours in place of its two, and the broker as the process that signals reach. */
class ConfiguredKafka extends KafkaContainer {
  readonly #properties: Readonly<Record<string, string>>;
  readonly #clusterId: string;

  constructor(image: string, properties: Readonly<Record<string, string>>, clusterId: string) {
    super(image);
    this.#properties = properties;
    this.#clusterId = clusterId;
  }

  protected override async beforeContainerCreated(): Promise<void> {
    await super.beforeContainerCreated();
    this.withEnvironment({
      ...environmentOf(this.#properties),
      KAFKA_BROKER_ID: this.#properties['node.id'] ?? '',
      CLUSTER_ID: this.#clusterId,
    });
    this.withCommand([
      '-c',
      `echo 'Waiting for script...'; while [ ! -f ${START_SCRIPT} ]; do sleep 0.1; done; exec ${START_SCRIPT}`,
    ]);
  }

  // Not by its ports: whoever calls asks for metadata.
  protected override async containerStarted(container: StartedTestContainer): Promise<void> {
    await container.copyContentToContainer([
      { content: '#!/bin/bash\nexec /etc/confluent/docker/run\n', target: START_SCRIPT, mode: 0o777 },
    ]);
  }
}

/** Starts Kafka in containers on fixed host ports, one for each broker, and one for the controller where there are several. */
export async function startKafkaContainers(
  engine: ContainerRuntimeClient,
  options: KafkaBackendOptions,
): Promise<KafkaBackend> {
  const image = process.env['KOLLECT_TEST_KAFKA_IMAGE'] || IMAGE;
  const host = containerHost(engine);
  const run = randomUUID();
  const clusterId = randomClusterId();
  const alone = options.nodes === 1;
  const nameOf = (id: number): string => `kollect-kafka-${run}-${id}`;
  const ids = Array.from({ length: options.nodes }, (_, index) => index + 1);
  const all = alone ? ids : [CONTROLLER_ID, ...ids];
  // By name, from before they exist: a run that is killed in the middle of the start leaves nothing either.
  const releases = options.keep ? [] : all.map((id) => watch({ container: nameOf(id) }));
  let network: StartedNetwork | undefined;
  const dispose = async (): Promise<void> => {
    await Promise.all(all.map((id) => removeContainer(engine, nameOf(id))));
    await network?.stop();
    for (const release of releases) release();
  };
  const inside = (id: number): string => (alone ? 'localhost' : `node-${id}`);
  const controllerId = alone ? 1 : CONTROLLER_ID;

  const launchNew = async (
    id: number,
    own: Partial<Record<KafkaListener | 'internal' | 'controller', ListenerAddress>>,
  ): Promise<void> => {
    const isController = id === controllerId;
    const controllerAddress = {
      bind: `0.0.0.0:${CONTROLLER_PORT}`,
      ...(id === CONTROLLER_ID && { advertised: `${inside(id)}:${CONTROLLER_PORT}` }),
    };
    const { 'log.dirs': _, ...properties } = kafkaProperties({
      id,
      roles: alone ? ['broker', 'controller'] : isController ? ['controller'] : ['broker'],
      controller: { id: controllerId, address: `${inside(controllerId)}:${CONTROLLER_PORT}` },
      listeners: { ...own, ...(isController && { controller: controllerAddress }) },
      brokers: options.nodes,
      users: allUsers(options.users),
      admin: options.users.admin,
      certificates: SECRETS,
      data: DATA,
      settings: options.settings,
    });
    const ports = Object.entries(own).flatMap(([name, { bind }]) => (name === 'internal' ? [] : [portOf(bind)]));
    const container = new ConfiguredKafka(image, properties, clusterId)
      .withName(nameOf(id))
      .withExposedPorts(...ports.map((port) => ({ container: port, host: port })))
      .withCopyContentToContainer(
        certificateContents(options.certificates).map(([name, content]) => ({
          content,
          target: `${SECRETS}/${name}`,
          mode: 0o644,
        })),
      )
      .withStartupTimeout(PULL_AND_START_MS)
      .withAutoCleanup(!options.keep);
    if (network) container.withNetwork(network).withNetworkAliases(inside(id));
    await container.start();
  };

  try {
    if (!alone) network = await new Network().start();
    if (network && !options.keep) releases.push(watch({ network: network.getId() }));
    const listeners: Partial<Record<KafkaListener, string[]>> = {};
    if (!alone) await launchNew(CONTROLLER_ID, {});
    for (const id of ids) {
      const own: Partial<Record<KafkaListener | 'internal', ListenerAddress>> = {
        internal: { bind: `0.0.0.0:${INTERNAL_PORT}`, advertised: `${inside(id)}:${INTERNAL_PORT}` },
      };
      for (const name of CLIENT_LISTENERS) {
        const port = await freePort();
        own[name] = { bind: `0.0.0.0:${port}`, advertised: `${host}:${port}` };
      }
      if (options.startProxy) {
        const port = await freePort();
        const proxy = await options.startProxy({ host, port });
        own.proxied = { bind: `0.0.0.0:${port}`, advertised: `${proxy.host}:${proxy.port}` };
      }
      for (const name of [...CLIENT_LISTENERS, 'proxied'] as const) {
        const advertised = own[name]?.advertised;
        if (advertised !== undefined) (listeners[name] ??= []).push(advertised);
      }
      await launchNew(id, own);
    }
    const addresses = listeners.plaintext ?? [];
    return {
      kind: 'containers',
      version: image,
      host,
      nodes: ids.map((id, index) => containerNode(engine, nameOf(id), id, addresses[index] ?? '')),
      listeners,
      container: { name: nameOf(1), bootstrap: `${inside(1)}:${INTERNAL_PORT}` },
      stopCommand: `docker rm -f -v ${all.map(nameOf).join(' ')}${network ? ` && docker network rm ${network.getName()}` : ''}`,
      dispose,
    };
  } catch (error) {
    const logs = await Promise.all(all.map((id) => containerLog(engine, nameOf(id)).catch(() => '')));
    await dispose();
    throw new Error(`Kafka in a container of ${image} did not start: ${String(error)}\n${logs.join('\n')}`.trim(), {
      cause: error,
    });
  }
}

/** A broker in a container of its own. */
export function containerNode(engine: ContainerRuntimeClient, name: string, id: number, address: string): KafkaNode {
  const container = engine.container.getById(name);
  const running = async (): Promise<boolean> => (await container.inspect()).State.Running;
  return {
    id,
    address,
    running,
    logTail: () => containerLog(engine, name),
    async launch() {
      if (!(await running())) await container.start();
    },
    async halt(mode) {
      if (!(await running())) return;
      if (mode === 'stop') await container.kill({ signal: 'SIGCONT' });
      await container.kill({ signal: mode === 'kill' ? 'SIGKILL' : 'SIGTERM' });
      while (await running()) await sleep(50);
    },
    async freeze() {
      await container.kill({ signal: 'SIGSTOP' });
    },
    async thaw() {
      await container.kill({ signal: 'SIGCONT' });
    },
  };
}

/** The end of what the container printed. */
export async function containerLog(engine: ContainerRuntimeClient, name: string): Promise<string> {
  return (await text(await engine.container.logs(engine.container.getById(name), { tail: 30, follow: false }))).trim();
}

/** Removes the container in whatever state it is; one that is gone is fine. */
export async function removeContainer(engine: ContainerRuntimeClient, name: string): Promise<void> {
  try {
    await engine.container.getById(name).remove({ force: true, v: true });
  } catch (error) {
    const gone = typeof error === 'object' && error !== null && 'statusCode' in error && error.statusCode === 404;
    if (!gone) throw error;
  }
}

// The image's own way from the environment to server.properties: `_` is a dot, `___` is a dash.
function environmentOf(properties: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [
      `KAFKA_${name.replaceAll('-', '___').replaceAll('.', '_').toUpperCase()}`,
      value,
    ]),
  );
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}
