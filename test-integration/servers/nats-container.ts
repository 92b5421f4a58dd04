import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  GenericContainer,
  ImageName,
  Network,
  Wait,
  type ContainerRuntimeClient,
  type StartedNetwork,
  type StartedTestContainer,
} from 'testcontainers';
import { containerNode, removeContainer } from './kafka-container.ts';
import { nodeConfiguration, type NatsBackend, type NatsBackendOptions, type NatsNode } from './nats-backend.ts';
import { freePort } from './ports.ts';
import { containerHost } from './postgres-container.ts';
import { watch } from './watchdog.ts';

const IMAGE = 'nats:2.12-alpine';
const FILES = '/etc/kollect';
const DATA = '/tmp/kollect';
const CONFIGURATION = `${FILES}/nats.conf`;
const PORTS = { client: 4_222, monitor: 8_222, route: 6_222 };
const PULL_MS = 60_000;
const START_MS = 60_000;
const LOG_LINES = 30;

/** The image of KOLLECT_TEST_NATS_IMAGE, or NATS 2.12. */
export function natsImage(): string {
  return process.env['KOLLECT_TEST_NATS_IMAGE'] || IMAGE;
}

/** Whether the engine has the image, or could pull it within a minute. */
export async function hasNatsImage({ image }: ContainerRuntimeClient): Promise<boolean> {
  const name = ImageName.fromString(natsImage());
  if (await image.exists(name)) return true;
  // An engine without a way to the registry may never say so.
  const patience = new AbortController();
  const pulled = image.pull(name).then(
    () => image.exists(name),
    () => false,
  );
  const tooLong = sleep(PULL_MS, false, { signal: patience.signal }).catch(() => false);
  return Promise.race([pulled, tooLong]).finally(() => patience.abort());
}

/** Starts NATS in containers, each with fixed ports of the host, so that it has the same ones after a restart. */
export async function startNatsContainers(
  engine: ContainerRuntimeClient,
  { nodes: count, config, files, keep }: NatsBackendOptions,
): Promise<NatsBackend> {
  const image = natsImage();
  const host = containerHost(engine);
  const run = randomUUID();
  const names = Array.from({ length: count }, (_, index) => `kollect-nats-${run}-${index}`);
  // By name, from before they exist: a run that is killed in the middle of the start leaves nothing either.
  const releases = keep ? [] : names.map((name) => watch({ container: name }));
  /** The last lines of each that did not start: its container is gone by then. */
  const said: string[] = [];
  let network: StartedNetwork | undefined;
  const dispose = async (): Promise<void> => {
    await Promise.all(names.map((name) => removeContainer(engine, name)));
    await network?.stop();
    for (const release of releases) release();
  };
  const launchNew = async (index: number, name: string): Promise<NatsNode> => {
    const [port, monitor] = [await freePort(), await freePort()];
    const contentOf = (text: string): string =>
      nodeConfiguration({
        index,
        listen: `0.0.0.0:${PORTS.client}`,
        monitor: `0.0.0.0:${PORTS.monitor}`,
        advertise: `${host}:${port}`,
        ...(count === 1
          ? {}
          : {
              cluster: {
                listen: `0.0.0.0:${PORTS.route}`,
                routes: names.map((_, other) => `node-${other}:${PORTS.route}`),
              },
            }),
        data: DATA,
        files: FILES,
        config: text,
      });
    const place = (text: string) => ({ content: contentOf(text), target: CONFIGURATION, mode: 0o644 });
    const container = new GenericContainer(image)
      .withName(name)
      .withExposedPorts({ container: PORTS.client, host: port }, { container: PORTS.monitor, host: monitor })
      .withCopyContentToContainer([
        place(config),
        ...Object.entries(files).map(([file, content]) => ({ content, target: `${FILES}/${file}`, mode: 0o644 })),
      ])
      .withCommand(['-c', CONFIGURATION])
      .withWaitStrategy(Wait.forLogMessage(/Listening for client connections/u))
      .withLogConsumer((lines) =>
        lines.on(
          'data',
          (line: string | Buffer) => void (said.push(String(line)), said.splice(0, said.length - LOG_LINES)),
        ),
      )
      .withStartupTimeout(START_MS)
      .withAutoCleanup(!keep);
    if (network) container.withNetwork(network).withNetworkAliases(`node-${index}`);
    return nodeOf(engine, { name, index, port, monitor, host }, await container.start(), place);
  };
  try {
    if (count > 1) network = await new Network().start();
    if (network && !keep) releases.push(watch({ network: network.getId() }));
    const nodes = await Promise.all(names.map((name, index) => launchNew(index, name)));
    const stopCommand = `docker rm -f -v ${names.join(' ')}${network ? ` && docker network rm ${network.getName()}` : ''}`;
    return { kind: 'containers', host, nodes, stopCommand, dispose };
  } catch (error) {
    await dispose();
    throw new Error(`NATS in a container of ${image} did not start: ${String(error)}\n${said.join('')}`.trim(), {
      cause: error,
    });
  }
}

interface Named {
  readonly name: string;
  readonly index: number;
  readonly host: string;
  readonly port: number;
  readonly monitor: number;
}

function nodeOf(
  engine: ContainerRuntimeClient,
  { name, index, host, port, monitor }: Named,
  started: StartedTestContainer,
  place: (config: string) => { readonly content: string; readonly target: string; readonly mode: number },
): NatsNode {
  const { halt, ...node } = containerNode(engine, name, index, `${host}:${port}`);
  return {
    ...node,
    port,
    monitor,
    kill: () => halt('kill'),
    reload: async (config) => {
      await started.copyContentToContainer([place(config)]);
      await engine.container.getById(name).kill({ signal: 'SIGHUP' });
    },
  };
}
