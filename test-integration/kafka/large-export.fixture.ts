// Exports a snapshot of 20 MB, and tells the most that was alive meanwhile beyond the sealed snapshot. Run with --expose-gc.
import { createSinkRegistry } from '@kollect/core';
import { createKafkaSink, kafkajsClient } from '@kollect/sink-kafka';
import { platformaticClient } from '@kollect/sink-kafka/platformatic';
import { makeItems, makeSnapshot } from '@kollect/sink-testkit';

const [client, spec = '{}'] = process.argv.slice(2);
const registry = createSinkRegistry([
  createKafkaSink({ client: client === 'kafkajs' ? kafkajsClient : platformaticClient }),
]);
const sink = registry.create({ type: 'kafka', kafka: JSON.parse(spec) }, { name: 'large' });
const signal = AbortSignal.timeout(60_000);
const exportOf = async (count: number, minute: number) =>
  sink.export(
    await makeSnapshot({
      items: makeItems({ count, bytes: 3_500 }),
      exportedAt: new Date(Date.now() - 3_600_000 + minute * 60_000).toISOString(),
    }),
    { signal },
  );

// What is made once, such as connections and compiled code, is no part of an export.
await exportOf(800, 0);
const large = await makeSnapshot({
  items: makeItems({ count: 5_600, bytes: 3_500 }),
  exportedAt: new Date(Date.now() - 60_000).toISOString(),
});
const before = alive();
let most = 0;
const sampling = setInterval(() => (most = Math.max(most, alive())), 20);
const { messages, bytes } = await sink.export(large, { signal });
clearInterval(sampling);
await sink.close();
console.log(JSON.stringify({ messages, bytes, beyond: most - before }));

function alive(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
