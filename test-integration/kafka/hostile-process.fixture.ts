// Exports once for each line that it reads, and tells what became of it in one line; ends with its input.
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createSinkRegistry, SinkError } from '@kollect/core';
import { createKafkaSink, kafkajsClient } from '@kollect/sink-kafka';
import { platformaticClient } from '@kollect/sink-kafka/platformatic';
import { makeSnapshot } from '@kollect/sink-testkit';

const [client, deadlineMs = ''] = process.argv.slice(2);
const registry = createSinkRegistry([
  createKafkaSink({ client: client === 'kafkajs' ? kafkajsClient : platformaticClient }),
]);
const snapshot = await makeSnapshot({ count: 2, exportedAt: new Date(Date.now() - 10_000).toISOString() });

for await (const line of createInterface(process.stdin)) {
  const { spec, credentials } = JSON.parse(line);
  const sink = registry.create({ type: 'kafka', kafka: spec }, { name: 'hostile', credentials });
  const limit = { signal: AbortSignal.timeout(Number(deadlineMs)) };
  const outcome = await sink.export(snapshot, limit).then(
    (result) => result.outcome,
    (error: unknown) => (SinkError.isInstance(error) ? `${error.code}: ${error.message}` : 'no SinkError'),
  );
  await sink.close();
  console.log(JSON.stringify({ outcome, largestMb: largestMb() }));
}

/** The most memory that this program took: what resourceUsage tells begins with that of the process that started it. */
function largestMb(): number {
  const [, kibibytes] =
    /^VmHWM:\s+(\d+) kB$/mu.exec(existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : '') ??
    [];
  return Math.round(kibibytes === undefined ? process.memoryUsage().rss / 1_048_576 : Number(kibibytes) / 1_024);
}
