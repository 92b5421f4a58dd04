// What a user of the packages writes in CommonJS: the packages are ES modules, which `require` loads.
const { createSinkRegistry, sealSnapshot } = require('@kollect/core');
const { postgresSink } = require('@kollect/sink-postgres');
const { exportOne } = require('./export-one.cjs');

exportOne({ createSinkRegistry, sealSnapshot, postgresSink }).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
