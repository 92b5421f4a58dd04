// Writes docs/kubernetes/resources.md.
import { writeFileSync } from 'node:fs';
import { createSinkRegistry } from '../../packages/core/src/index.ts';
import { kafkaSink } from '../../packages/sink-kafka/src/index.ts';
import { natsSink } from '../../packages/sink-nats/src/index.ts';
import { postgresSink } from '../../packages/sink-postgres/src/index.ts';
import { renderReference } from './render.ts';

const page = new URL('../../docs/kubernetes/resources.md', import.meta.url);
writeFileSync(page, renderReference(createSinkRegistry([postgresSink, kafkaSink, natsSink])));
