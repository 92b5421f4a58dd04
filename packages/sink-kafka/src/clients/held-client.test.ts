import { expect, test } from '@jest/globals';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { KafkaClientConfig } from '../kafka-client.ts';
import { createFakeCluster } from '../fake-client.fixture.ts';
import { holdClient } from './held-client.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

test('a client that lives for months keeps nothing of the calls that ended', async () => {
  const client = createFakeCluster().factory({} as KafkaClientConfig);
  const held = holdClient({
    client,
    beforeConnect: () => Promise.resolve(),
    onRetired: () => undefined,
    onDestroyed: () => undefined,
  });
  const answers = await Promise.all(
    [1, 2, 3].map(async (size) => new WeakRef(await held.call(async () => ({ answer: 'x'.repeat(size) })))),
  );
  // A reference lives to the end of the turn it was made in.
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  expect(answers.map((answer) => answer.deref())).toEqual([undefined, undefined, undefined]);
  held.giveUp();
});
