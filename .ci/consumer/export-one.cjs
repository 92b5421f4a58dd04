// One item from sealing to the table, the topic and the stream, and everything closed again: the process has to end by itself.
exports.exportOne = async function exportOne({
  createExporter,
  createSinkRegistry,
  sealSnapshot,
  postgresSink,
  kafkaSink,
  natsSink,
}) {
  const { CONSUMER_DSN: dsn, CONSUMER_TABLE: table, CONSUMER_BROKERS: brokers, CONSUMER_TOPIC: topic } = process.env;
  const { CONSUMER_NATS: servers } = process.env;
  const database = new URL(dsn).pathname.slice(1);
  const item = {
    targetNamespace: 'platform',
    targetName: 'nodes',
    namespace: '',
    name: 'node-1',
    version: 'v1',
    kind: 'Node',
    uid: 'c0ffee00-0000-4000-8000-000000000002',
    attributes: { unschedulable: false },
  };
  const snapshot = await sealSnapshot({
    inventoryNamespace: 'platform',
    inventoryName: table,
    generation: 1,
    exportedAt: new Date().toISOString(),
    items: [item],
  });
  const exporter = createExporter({ registry: createSinkRegistry([postgresSink, kafkaSink, natsSink]) });
  exporter.updateSink({
    name: 'table',
    config: { type: 'postgres', postgres: { database, table, tls: { mode: 'disable' } } },
    connection: { credentials: () => ({ dsn }) },
  });
  exporter.updateSink({ name: 'topic', config: { type: 'kafka', kafka: { brokers: brokers.split(','), topic } } });
  exporter.updateSink({
    name: 'stream',
    config: {
      type: 'nats',
      nats: { servers: servers.split(','), stream: table, subjectPrefix: table, provisioning: 'create' },
    },
  });
  const sinks = ['table', 'topic', 'stream'];
  const report = await exporter.export({ namespace: 'platform', name: table, sinks }, snapshot, {
    signal: AbortSignal.timeout(20_000),
  });
  await exporter.close();
  for (const { sink, outcome, error } of report.sinks) console.log(table, sink, outcome, error?.message ?? '');
  if (!report.ok) process.exitCode = 1;
};
