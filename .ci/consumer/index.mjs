// What a user of the packages writes in JavaScript; with the other Kafka client, which is the user's to install.
import { createExporter, createSinkRegistry, sealSnapshot } from '@kollect/core';
import { createKafkaSink } from '@kollect/sink-kafka';
import { platformaticClient } from '@kollect/sink-kafka/platformatic';
import { natsSink } from '@kollect/sink-nats';
import { postgresSink } from '@kollect/sink-postgres';
import { exportOne } from './export-one.cjs';

await exportOne({
  createExporter,
  createSinkRegistry,
  sealSnapshot,
  postgresSink,
  kafkaSink: createKafkaSink({ client: platformaticClient }),
  natsSink,
});
