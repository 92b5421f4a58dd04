// What a user of the packages writes in CommonJS: the packages are ES modules, which `require` loads.
const { createExporter, createSinkRegistry, sealSnapshot } = require('@kollect/core');
const { kafkaSink } = require('@kollect/sink-kafka');
const { natsSink } = require('@kollect/sink-nats');
const { postgresSink } = require('@kollect/sink-postgres');
const { exportOne } = require('./export-one.cjs');

exportOne({ createExporter, createSinkRegistry, sealSnapshot, postgresSink, kafkaSink, natsSink }).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
