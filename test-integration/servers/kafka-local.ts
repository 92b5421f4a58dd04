import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  allUsers,
  certificateContents,
  propertiesText,
  randomClusterId,
  type KafkaBackend,
  type KafkaBackendOptions,
} from './kafka-backend.ts';
import type { KafkaListener } from './kafka-connection.ts';
import { KAFKA_VERSION, type KafkaRuntime } from './kafka-jars.ts';
import { createLocalNode, type LocalNode } from './kafka-process.ts';
import { CLIENT_LISTENERS, kafkaProperties, type ListenerAddress } from './kafka-properties.ts';
import { freePort } from './ports.ts';
import { serverDirectory, unprivilegedUser } from './processes.ts';
import { watch } from './watchdog.ts';

const HOST = '127.0.0.1';
const CONTROLLER_ID = 100;
const LOGGING = `rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d] %p %m (%c)%n%throwable{short.message}
`;

/**
 * Makes a cluster in a directory of its own and launches its processes, never as root. One node is broker and controller; of
 * several, each may be killed and the controller lives on, for it is a process beside them.
 */
export async function startLocalKafka(runtime: KafkaRuntime, options: KafkaBackendOptions): Promise<KafkaBackend> {
  const user = unprivilegedUser();
  const directory = await serverDirectory('kafka', user);
  const release = options.keep ? () => undefined : watch({ directory });
  const processes: LocalNode[] = [];
  const dispose = async (): Promise<void> => {
    await Promise.all(processes.map((node) => node.dispose()));
    await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    release();
  };
  const place = async (path: string, content: string): Promise<void> => {
    await writeFile(path, content, { mode: 0o600 });
    if (user) await chown(path, user.uid, user.gid);
  };
  try {
    await place(join(directory, 'log4j2.properties'), LOGGING);
    for (const [name, content] of certificateContents(options.certificates))
      await place(join(directory, name), content);
    const alone = options.nodes === 1;
    const ids = Array.from({ length: options.nodes }, (_, index) => index + 1);
    const controller = { id: alone ? 1 : CONTROLLER_ID, address: `${HOST}:${await freePort()}` };
    const clusterId = randomClusterId();
    const listeners: Partial<Record<KafkaListener, string[]>> = {};

    const createNode = async (
      id: number,
      roles: readonly ('broker' | 'controller')[],
      own: Partial<Record<string, ListenerAddress>>,
    ): Promise<LocalNode> => {
      const home = join(directory, `node-${id}`);
      await mkdir(home, { mode: 0o700 });
      if (user) await chown(home, user.uid, user.gid);
      const isController = roles.includes('controller');
      const properties = kafkaProperties({
        id,
        roles,
        controller,
        listeners: { ...own, ...(isController && { controller: { bind: controller.address } }) },
        brokers: options.nodes,
        users: allUsers(options.users),
        admin: options.users.admin,
        certificates: directory,
        data: join(home, 'data'),
        settings: options.settings,
      });
      await place(join(home, 'server.properties'), propertiesText(properties));
      return createLocalNode({
        id,
        address: own['plaintext']?.bind ?? controller.address,
        home,
        logging: join(directory, 'log4j2.properties'),
        clusterId,
        runtime,
        user,
        ...options,
      });
    };

    if (!alone) processes.push(await createNode(CONTROLLER_ID, ['controller'], {}));
    const brokers: LocalNode[] = [];
    for (const id of ids) {
      const own: Partial<Record<KafkaListener | 'internal', ListenerAddress>> = {};
      for (const name of [...CLIENT_LISTENERS, 'internal'] as const) {
        const bind = `${HOST}:${await freePort()}`;
        own[name] = { bind, advertised: bind };
      }
      if (options.startProxy) {
        const port = await freePort();
        const proxy = await options.startProxy({ host: HOST, port });
        own.proxied = { bind: `${HOST}:${port}`, advertised: `${proxy.host}:${proxy.port}` };
      }
      for (const [name, { advertised = '' }] of Object.entries(own)) {
        if (name !== 'internal') (listeners[name as KafkaListener] ??= []).push(advertised);
      }
      brokers.push(await createNode(id, alone ? ['broker', 'controller'] : ['broker'], own));
    }
    processes.push(...brokers);
    await Promise.all(
      processes.map(async (node) => {
        await node.format();
        await node.launch();
      }),
    );
    return {
      kind: 'local',
      version: KAFKA_VERSION,
      host: HOST,
      nodes: brokers,
      listeners,
      stopCommand: `kill -9 $(cat ${directory}/node-*/pid) && rm -r ${directory}`,
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
