// What a user of the packages writes in JavaScript.
import { createSinkRegistry, sealSnapshot } from '@kollect/core';
import { postgresSink } from '@kollect/sink-postgres';
import { exportOne } from './export-one.cjs';

await exportOne({ createSinkRegistry, sealSnapshot, postgresSink });
