// What a user of the packages writes in CommonJS: the packages are ES modules, which `require` loads.
const { createExporter, createSinkRegistry, sealSnapshot } = require('@kollect/core');
const { kafkaSink } = require('@kollect/sink-kafka');
const { postgresSink } = require('@kollect/sink-postgres');
const { exportOne } = require('./export-one.cjs');

exportOne({ createExporter, createSinkRegistry, sealSnapshot, postgresSink, kafkaSink }).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
