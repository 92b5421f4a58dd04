// Writes what is made from the schemas of the resources: their page, and the policy of the example's operator.
import { writeFileSync } from 'node:fs';
import { createSinkRegistry } from '../../packages/core/src/index.ts';
import { kafkaSink } from '../../packages/sink-kafka/src/index.ts';
import { natsSink } from '../../packages/sink-nats/src/index.ts';
import { postgresSink } from '../../packages/sink-postgres/src/index.ts';
import { renderPolicy } from './render-policy.ts';
import { renderReference } from './render.ts';

const registry = createSinkRegistry([postgresSink, kafkaSink, natsSink]);
const write = (path: string, text: string): void => writeFileSync(new URL(`../../${path}`, import.meta.url), text);
write('docs/kubernetes/resources.md', renderReference(registry));
write('examples/operator/deploy/base/admission-policy.yaml', renderPolicy(registry));
