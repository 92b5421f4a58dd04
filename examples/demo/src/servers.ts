import type { DemoOptions, DemoSink } from './options.ts';
import { parseServer, type Server } from './store.ts';
import { duration, type Terminal } from './terminal.ts';

/** Where the demo exports to, and how to leave it. */
export interface Servers {
  readonly postgres: Server;
  /** `host:port` of each; undefined where there is no Kafka. */
  readonly brokers: readonly string[] | undefined;
  /** The same of NATS. */
  readonly nats: readonly string[] | undefined;
  /** Ends what was started here; with `keep` it says how to reach and to end it instead. */
  leave(options: { readonly keep: boolean }): Promise<void>;
}

interface Started {
  /** One line about how to use it, and the command that ends it. */
  readonly hint: string;
  readonly stopCommand: string;
  stop(): Promise<void>;
}

/** The servers that the options name, and otherwise new ones: PostgreSQL always, Kafka and NATS where they are wanted and this machine can start one. */
export async function openServers(options: DemoOptions, terminal: Terminal): Promise<Servers> {
  const given = options.dsn === undefined ? undefined : parseServer(options.dsn, options.tls);
  const started: Started[] = [];
  const stop = (): Promise<unknown> => Promise.all(started.map((server) => server.stop()));
  try {
    const wants = (sink: DemoSink): boolean => options.sinks.includes(sink);
    const [postgres, brokers, nats] = await Promise.all([
      given ?? startPostgres(options, terminal, started),
      options.brokers ?? (given === undefined && wants('kafka') ? startKafka(options, terminal, started) : undefined),
      wants('nats') ? startNats(options, terminal, started) : undefined,
    ]);
    return {
      postgres,
      brokers,
      nats,
      async leave({ keep }) {
        if (keep) for (const { hint, stopCommand } of started) terminal.print(`\n${hint}\nEnd it:\n  ${stopCommand}`);
        else await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startPostgres({ keep }: DemoOptions, terminal: Terminal, started: Started[]): Promise<Server> {
  // Loaded only where it is needed: with servers of its user the demo depends on nothing but the packages.
  const harness = await import('@kollect/test-integration/servers/index.ts');
  const { result: server, ms } = await terminal.during('Starting PostgreSQL', () => harness.startPostgres({ keep }));
  const dsn = server.dsn();
  const hint = `PostgreSQL keeps running:\n  ${dsn}\nAsk it:\n  psql '${dsn}' -c 'SELECT gvk, count(*) FROM kollect_demo GROUP BY gvk'`;
  started.push({ hint, stopCommand: server.stopCommand, stop: () => server.stop() });
  terminal.print(
    `Started PostgreSQL ${server.version} (${server.kind}) on ${server.host}:${server.port} in ${duration(ms)}.`,
  );
  return parseServer(dsn, 'disable');
}

async function startKafka(
  { keep }: DemoOptions,
  terminal: Terminal,
  started: Started[],
): Promise<readonly string[] | undefined> {
  const harness = await import('@kollect/test-integration/servers/index.ts');
  const start = performance.now();
  const server = await harness.startKafka({ keep }).catch((error: unknown) => {
    terminal.print(`Kafka is left out: ${(error instanceof Error ? error.message : String(error)).split('\n')[0]}`);
    return undefined;
  });
  if (server === undefined) return undefined;
  started.push({
    hint: `Kafka keeps running:\n  ${server.bootstrap}`,
    stopCommand: server.stopCommand,
    stop: () => server.stop(),
  });
  terminal.print(
    `Started Kafka ${server.version} (${server.kind}) on ${server.bootstrap} in ${duration(performance.now() - start)}.`,
  );
  return server.listeners.plaintext;
}

async function startNats(
  { keep }: DemoOptions,
  terminal: Terminal,
  started: Started[],
): Promise<readonly string[] | undefined> {
  const harness = await import('@kollect/test-integration/servers/index.ts');
  const start = performance.now();
  const server = await harness.startNats({ keep }).catch((error: unknown) => {
    terminal.print(`NATS is left out: ${(error instanceof Error ? error.message : String(error)).split('\n')[0]}`);
    return undefined;
  });
  if (server === undefined) return undefined;
  const address = server.servers.join(',');
  started.push({
    hint: `NATS keeps running:\n  ${address}`,
    stopCommand: server.stopCommand,
    stop: () => server.stop(),
  });
  terminal.print(
    `Started NATS ${server.version} (${server.kind}) on ${address} in ${duration(performance.now() - start)}.`,
  );
  return server.servers;
}
