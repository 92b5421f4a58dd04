import { KubeConfig } from '@kubernetes/client-node';
import { createExporter, createSinkRegistry, memorySink } from '@kollect/core';
import { startOperator } from './operator.fixture.ts';

const config = new KubeConfig();
config.loadFromDefault();

// postgresSink, kafkaSink, or types of your own
const exporter = createExporter({ registry: createSinkRegistry([memorySink()]) });
exporter.updateSink({ name: 'portal', config: { type: 'memory' } });

const operator = await startOperator({ config, exporter, cluster: 'east' });
process.once('SIGTERM', () => void operator.stop());
