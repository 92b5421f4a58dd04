import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { sinkJsonSchema } from '@kollect/core';
import { natsSink } from './nats-sink.ts';

test('schema.json of the package is what the sink checks by; after a change run `npx -y pnpm@12.21.0 schemas:update`', () => {
  const file: unknown = JSON.parse(readFileSync(new URL('../schema.json', import.meta.url), 'utf8'));
  expect(file).toEqual(JSON.parse(JSON.stringify(sinkJsonSchema(natsSink))));
});
