// One item from sealing to the table, and everything closed again: the process has to end by itself.
exports.exportOne = async function exportOne({ createSinkRegistry, sealSnapshot, postgresSink }) {
  const { CONSUMER_DSN: dsn, CONSUMER_TABLE: table } = process.env;
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
  const snapshot = await sealSnapshot({ inventoryNamespace: 'platform', inventoryName: table, generation: 1, exportedAt: new Date().toISOString(), items: [item] });
  const sink = createSinkRegistry([postgresSink]).create({ type: 'postgres', postgres: { database, table, tls: { mode: 'disable' } } }, { credentials: () => ({ dsn }) });
  const signal = AbortSignal.timeout(20_000);
  await sink.open({ signal });
  const { outcome, counts } = await sink.export(snapshot, { signal });
  await sink.close();
  console.log(table, outcome, counts.inserted);
};
