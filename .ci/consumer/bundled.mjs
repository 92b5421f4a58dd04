// What a user of the packages writes who ships one file: all sinks, with the default Kafka client.
import { createExporter, createSinkRegistry, sealSnapshot } from '@kollect/core';
import { kafkaSink } from '@kollect/sink-kafka';
import { natsSink } from '@kollect/sink-nats';
import { postgresSink } from '@kollect/sink-postgres';
import { exportOne } from './export-one.cjs';

exportOne({ createExporter, createSinkRegistry, sealSnapshot, postgresSink, kafkaSink, natsSink }).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
