import type { InventorySnapshot, KollectSink } from '@kollect/core';
import { changeObjects } from './change-objects.ts';
import { collect, withoutSecrets } from './collect.ts';
import { loadManifests } from './load-manifests.ts';
import type { DemoOptions } from './options.ts';
import { showChanges, showKinds, showResult, showRows, showSnapshot } from './show.ts';
import { createSink, parseServer, readRows, table, type Server } from './store.ts';
import { count, duration, type Terminal } from './terminal.ts';

interface DemoContext {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** The whole demo. Ends the server it started, also when it fails or the signal aborts, unless it is to be kept. */
export async function runDemo(options: DemoOptions, context: DemoContext): Promise<void> {
  const { terminal, signal } = context;
  const given = options.dsn === undefined ? undefined : parseServer(options.dsn, options.tls);
  const { result: loaded, ms } = await terminal.during('Reading objects', () => loadManifests(options.manifests));
  const objects = withoutSecrets(loaded.objects);
  const kinds = new Set(objects.map(({ apiVersion, kind }) => `${apiVersion}/${kind}`)).size;
  terminal.print(`Read ${count(objects.length, 'object')} of ${count(kinds, 'kind')} from ${loaded.from} in ${duration(ms)}.`);
  const secrets = loaded.objects.length - objects.length;
  if (secrets > 0) terminal.print(`Left out ${count(secrets, 'Secret')}: an inventory says what runs where, and never what is secret.`);

  const tour = (server: Server) => withSink(server, (sink) => exportAndShow({ ...context, sink, server, objects }));
  if (given !== undefined) {
    await tour(given);
    terminal.print(`\nThe rows stay in ${table}, with ${table}_exports and the view ${table}_current beside it.`);
    return;
  }
  // Loaded only where it is needed: with --dsn the demo depends on nothing but the packages.
  const { startPostgres } = await import('@kollect/test-integration/servers/index.ts');
  const { result: started, ms: startMs } = await terminal.during('Starting PostgreSQL', () => startPostgres({ keep: options.keep }));
  let done = false;
  try {
    terminal.print(`Started PostgreSQL ${started.version} (${started.kind}) on ${started.host}:${started.port} in ${duration(startMs)}.`);
    signal.throwIfAborted();
    await tour(parseServer(started.dsn(), 'disable'));
    done = true;
  } finally {
    if (options.keep && done) terminal.print(kept(started.dsn(), started.stopCommand));
    else await started.stop();
  }
}

function kept(dsn: string, stopCommand: string): string {
  const query = `psql '${dsn}' -c 'SELECT gvk, count(*) FROM ${table} GROUP BY gvk'`;
  return `\nPostgreSQL keeps running:\n  ${dsn}\nAsk it:\n  ${query}\nEnd it:\n  ${stopCommand}`;
}

async function withSink(server: Server, use: (sink: KollectSink) => Promise<void>): Promise<void> {
  const sink = createSink(server);
  try {
    await use(sink);
  } finally {
    await sink.close();
  }
}

interface ExportContext extends DemoContext {
  readonly sink: KollectSink;
  readonly server: Server;
  readonly objects: Parameters<typeof collect>[0];
}

async function exportAndShow({ terminal, signal, sink, server, objects }: ExportContext): Promise<void> {
  const print = (text: string): void => terminal.print(text);
  const exportIt = async (title: string, snapshot: InventorySnapshot): Promise<void> => {
    const { result, ms } = await terminal.during(title, () => sink.export(snapshot, { signal }));
    print(`${title}: ${showResult(result, ms)}.`);
  };

  print(`\n1. Make table ${table} equal to the cluster`);
  const first = await collect(objects, { generation: 1, exportedAt: new Date() });
  print(`Snapshot: ${showSnapshot(first)}.`);
  await sink.open?.({ signal });
  await exportIt('Export', first);
  const before = await readRows(server);
  print(`\n${showKinds(before, terminal.width)}\n\n${showRows(before, terminal.width)}`);

  print('\n2. The cluster changes: some objects scaled, some gone, one new');
  const later = changeObjects(objects);
  const second = await collect(later, { generation: 2, exportedAt: after(first) });
  const plan = await sink.plan?.(second, { signal });
  if (plan) print(`Plan, which writes nothing: ${plan.counts.inserted} to insert, ${plan.counts.updated} to update, ${plan.counts.deleted} to delete.`);
  await exportIt('Export', second);
  print(showChanges(before, await readRows(server)));

  print('\n3. Nothing changes');
  await exportIt('Export', await collect(later, { generation: 2, exportedAt: after(second) }));

  print('\n4. An older snapshot arrives late, as from a slow replica');
  await exportIt('Export', first);
  print(`The table still holds the newer one: ${count((await readRows(server)).length, 'row')}.`);
}

/** Now, and later than the snapshot even where both fall into one millisecond. */
const after = ({ exportedAt }: InventorySnapshot): Date => new Date(Math.max(Date.now(), Date.parse(exportedAt) + 1));
