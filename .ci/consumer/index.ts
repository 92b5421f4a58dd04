// What a user of the packages writes in TypeScript.
import {
  createExporter,
  createSinkRegistry,
  formatScope,
  sealSnapshot,
  type DeliveryReport,
  type Item,
} from '@kollect/core';
import { openTelemetryTracer } from '@kollect/core/opentelemetry';
import { prometheusMetrics } from '@kollect/core/prometheus';
import { createKafkaSink, formatMessageKey } from '@kollect/sink-kafka';
import { platformaticClient } from '@kollect/sink-kafka/platformatic';
import { formatSubject, natsSink } from '@kollect/sink-nats';
import { postgresSink } from '@kollect/sink-postgres';
import { Registry } from 'prom-client';

const {
  CONSUMER_DSN: dsn = '',
  CONSUMER_TABLE: table = '',
  CONSUMER_BROKERS: brokers = '',
  CONSUMER_TOPIC: topic = '',
  CONSUMER_NATS: servers = '',
} = process.env;
const database = new URL(dsn).pathname.slice(1);
const item: Item = {
  targetNamespace: 'platform',
  targetName: 'deployments',
  namespace: 'shop',
  name: 'web',
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  uid: 'c0ffee00-0000-4000-8000-000000000001',
  attributes: { replicas: 3 },
};
const snapshot = await sealSnapshot({
  inventoryNamespace: 'platform',
  inventoryName: table,
  generation: 1,
  exportedAt: new Date().toISOString(),
  items: [item],
});
const register = new Registry();
const registry = createSinkRegistry([postgresSink, createKafkaSink({ client: platformaticClient }), natsSink]);
const exporter = createExporter({ registry, metrics: prometheusMetrics({ register }), tracer: openTelemetryTracer() });
exporter.updateSink({
  name: 'table',
  config: { type: 'postgres', postgres: { database, table, tls: { mode: 'disable' } } },
  connection: { credentials: { dsn } },
});
exporter.updateSink({ name: 'topic', config: { type: 'kafka', kafka: { brokers: brokers.split(','), topic } } });
exporter.updateSink({
  name: 'stream',
  config: {
    type: 'nats',
    nats: { servers: servers.split(','), stream: table, subjectPrefix: table, provisioning: 'create' },
  },
});
const inventory = { namespace: 'platform', name: table, sinks: ['table', 'topic', 'stream'] };
const report: DeliveryReport = await exporter.export(inventory, snapshot, { signal: AbortSignal.timeout(20_000) });
await exporter.close();
if (formatScope(snapshot) !== formatMessageKey(snapshot))
  throw new Error('A key of the topic is not the name of its inventory.');
if (!formatSubject(snapshot, table).startsWith(`${table}.`)) throw new Error('A subject begins with its prefix.');
console.log(report.outcomes, (await register.metrics()).includes('kollect_exports_total'));
if (!report.ok) process.exitCode = 1;

// @ts-expect-error -- the registry knows its types: a type that nobody defined does not compile.
const refused: Parameters<typeof registry.create>[0] = { type: 'postgress', postgres: { database, table } };
void refused;
