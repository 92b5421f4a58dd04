import { createExporter, createSinkRegistry, type DeliveryReport, type InventorySnapshot } from '@kollect/core';
import {
  changeObjects,
  hold,
  loadManifests,
  openInventory,
  scope,
  withoutSecrets,
  type ManifestObject,
} from '@kollect/example-sample-cluster';
import { kafkaSink } from '@kollect/sink-kafka';
import { natsSink } from '@kollect/sink-nats';
import { postgresSink } from '@kollect/sink-postgres';
import type { DemoOptions } from './options.ts';
import { openServers, type Servers } from './servers.ts';
import { showChanges, showEvents, showKinds, showReport, showRows, showSnapshot } from './show.ts';
import { postgresResource, readRows, table } from './store.ts';
import { natsResource, readStream, stream } from './stream.ts';
import { count, duration, type Terminal } from './terminal.ts';
import { kafkaResource, readEvents, readTopic, topic } from './topic.ts';

interface DemoContext {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** The whole demo. Ends the servers it started, also when it fails or the signal aborts, unless they are to be kept. */
export async function runDemo(options: DemoOptions, context: DemoContext): Promise<void> {
  const { terminal, signal } = context;
  const { result: loaded, ms } = await terminal.during('Reading objects', () => loadManifests(options.manifests));
  const objects = withoutSecrets(loaded.objects);
  const kinds = new Set(objects.map(({ apiVersion, kind }) => `${apiVersion}/${kind}`)).size;
  terminal.print(
    `Read ${count(objects.length, 'object')} of ${count(kinds, 'kind')} from ${loaded.from} in ${duration(ms)}.`,
  );
  const secrets = loaded.objects.length - objects.length;
  if (secrets > 0)
    terminal.print(
      `Left out ${count(secrets, 'Secret')}: an inventory says what runs where, and never what is secret.`,
    );

  const servers = await openServers(options, terminal);
  let done = false;
  try {
    signal.throwIfAborted();
    await exportAndShow({ ...context, servers, objects });
    if (options.dsn !== undefined)
      terminal.print(`\nThe rows stay in ${table}, with ${table}_exports and the view ${table}_current beside it.`);
    if (options.brokers !== undefined) terminal.print(`\nThe messages stay in topic ${topic}.`);
    done = true;
  } finally {
    await servers.leave({ keep: options.keep && done });
  }
}

interface ExportContext extends DemoContext {
  readonly servers: Servers;
  readonly objects: readonly ManifestObject[];
}

async function exportAndShow({ terminal, signal, servers, objects }: ExportContext): Promise<void> {
  const { postgres, brokers, nats } = servers;
  const print = (text: string): void => terminal.print(text);
  const exporter = createExporter({ registry: createSinkRegistry([postgresSink, kafkaSink, natsSink]) });
  // Nobody waits for a retry here: what is wrong is shown at once.
  const delivery = { retry: { retries: 0 } };
  exporter.updateSink({ ...postgresResource(postgres), delivery });
  if (brokers !== undefined) exporter.updateSink({ ...kafkaResource(brokers), delivery });
  if (nats !== undefined) exporter.updateSink({ ...natsResource(nats), delivery });
  const sinks = ['postgres', ...(brokers === undefined ? [] : ['kafka']), ...(nats === undefined ? [] : ['nats'])];
  const announced = [
    ...(brokers === undefined ? [] : [`topic ${topic}`]),
    ...(nats === undefined ? [] : [`stream ${stream}`]),
  ].join(' and ');
  const { cluster = '', inventoryNamespace: namespace, inventoryName: name } = scope;
  const inventory = { cluster, namespace, name, sinks };

  const exportIt = async (snapshot: InventorySnapshot): Promise<void> => {
    const { result } = await terminal.during('Export', () => exporter.export(inventory, snapshot, { signal }));
    for (const report of result.sinks) print(`Export to ${report.sink}: ${showReport(report)}.`);
    throwFailure(result);
  };

  try {
    print(
      `\n1. Make table ${table} equal to the cluster${announced === '' ? '' : `, and announce it on ${announced}`}`,
    );
    // As an operator keeps it: fed by what changes, and sealed for each export.
    const kept = openInventory();
    await hold(kept, objects);
    const first = await kept.seal({ generation: 1, exportedAt: new Date() });
    print(`Snapshot: ${showSnapshot(first)}.`);
    await exportIt(first);
    const before = await readRows(postgres);
    print(`\n${showKinds(before, terminal.width)}\n\n${showRows(before, terminal.width)}`);

    print('\n2. The cluster changes: some objects scaled, some gone, one new');
    await hold(kept, changeObjects(objects));
    const second = await kept.seal({ generation: 2, exportedAt: after(first) });
    for (const { sink, plan } of (await exporter.plan(inventory, second, { signal })).sinks) {
      if (plan === undefined) continue;
      const { inserted, updated, deleted } = plan.counts;
      print(
        `Plan for ${sink}, which writes nothing: ${inserted} to insert, ${updated} to update, ${deleted} to delete.`,
      );
    }
    await exportIt(second);
    print(showChanges(before, await readRows(postgres)));

    print('\n3. Nothing changes');
    await exportIt(await kept.seal({ generation: 2, exportedAt: after(second) }));

    print('\n4. An older snapshot arrives late, as from a slow replica');
    await exportIt(first);
    print(`The table still holds the newer one: ${count((await readRows(postgres)).length, 'row')}.`);

    const readers = [
      ...(brokers === undefined
        ? []
        : [{ what: `topic ${topic}`, read: async () => readEvents(await readTopic(brokers)) }]),
      ...(nats === undefined ? [] : [{ what: `stream ${stream}`, read: () => readStream(nats) }]),
    ];
    for (const [index, { what, read }] of readers.entries()) {
      print(`\n${5 + index}. What a consumer of ${what} reads: every snapshot joined, and verified by its checksum`);
      const { result: events } = await terminal.during('Reading', read);
      print(showEvents(events, terminal.width));
    }
  } finally {
    await exporter.close();
  }
}

function throwFailure({ sinks }: DeliveryReport): void {
  const error = sinks.find((report) => report.error !== undefined)?.error;
  if (error !== undefined) throw error;
}

/** Now, and later than the snapshot even where both fall into one millisecond. */
const after = ({ exportedAt }: InventorySnapshot): Date => new Date(Math.max(Date.now(), Date.parse(exportedAt) + 1));
