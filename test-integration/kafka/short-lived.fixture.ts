// Exports, or fails to, closes, and ends by itself: or hangs, where something was left behind. Tells what it saw in one line.
import { setImmediate } from 'node:timers/promises';
import { createSinkRegistry, SinkError } from '@kollect/core';
import { createKafkaSink, kafkajsClient } from '@kollect/sink-kafka';
import { platformaticClient } from '@kollect/sink-kafka/platformatic';
import { makeSnapshot } from '@kollect/sink-testkit';

const [client, spec = '{}', deadlineMs = ''] = process.argv.slice(2);
const deadline = () => ({ signal: AbortSignal.timeout(Number(deadlineMs)) });
const warnings: string[] = [];
process.on('warning', (warning) => {
  // Node 22 has one for the types of this file.
  if (warning.name !== 'ExperimentalWarning')
    warnings.push(`${warning.name}: ${warning.message} ${warning.stack ?? ''}`);
});
const before = process.getActiveResourcesInfo();

const registry = createSinkRegistry([
  createKafkaSink({ client: client === 'kafkajs' ? kafkajsClient : platformaticClient }),
]);
const sink = registry.create({ type: 'kafka', kafka: JSON.parse(spec) }, { name: 'short-lived' });
const outcomes: string[] = [];
// The last of them goes out in parts.
for (const [round, count] of [1, 2, 200].entries()) {
  const exportedAt = new Date(Date.now() - 10_000 + round).toISOString();
  const outcome = await sink
    .export(await makeSnapshot({ count, exportedAt }), deadline())
    .catch((error: unknown) => SinkError.from(error).code);
  outcomes.push(typeof outcome === 'string' ? outcome : outcome.outcome);
}
const { ok } = await sink.testConnection(deadline()).catch(() => ({ ok: false }));
await sink.close();
// What is closed already, Node lets go of some turns of its event loop later.
const left = () => difference(process.getActiveResourcesInfo(), before);
for (let turn = 0; turn < 10 && left().length > 0; turn += 1) await setImmediate();
console.log(JSON.stringify({ outcomes, ok, left: left(), warnings }));

function difference(some: readonly string[], others: readonly string[]): string[] {
  const rest = [...others];
  return some.filter((each) => {
    const at = rest.indexOf(each);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}
