// Exports as often as it is told, or fails to, closes, and ends by itself: or hangs, where something was left behind. Tells what it saw in one line.
import { setImmediate } from 'node:timers/promises';
import { createSinkRegistry, SinkError } from '@kollect/core';
import { natsSink } from '@kollect/sink-nats';
import { makeSnapshot } from '@kollect/sink-testkit';

const [spec = '{}', count = '1', deadlineMs = '10000'] = process.argv.slice(2);
const heap = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};
const before = process.getActiveResourcesInfo().length;
const sink = createSinkRegistry([natsSink]).create({ type: 'nats', nats: JSON.parse(spec) }, { name: 'short-lived' });
const outcomes: Record<string, number> = {};
const start = Date.now() - 3_600_000;
let early = 0;
for (let round = 0; round < Number(count); round += 1) {
  // The last of them goes out in parts.
  const size = round === Number(count) - 1 ? 500 : 1;
  const snapshot = await makeSnapshot({ count: size, seed: round, exportedAt: new Date(start + round).toISOString() });
  const outcome = await sink.export(snapshot, { signal: AbortSignal.timeout(Number(deadlineMs)) }).then(
    (result) => result.outcome,
    (error: unknown) => (SinkError.isInstance(error) ? error.code : `no SinkError: ${String(error)}`),
  );
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  if (round === Math.floor(Number(count) / 4)) early = heap();
}
const grownKb = Math.round((heap() - early) / 1_024);
await sink.testConnection({ signal: AbortSignal.timeout(Number(deadlineMs)) }).catch(() => undefined);
await sink.close();
// What is closed already, Node lets go of some turns of its event loop later.
for (let turn = 0; turn < 10 && process.getActiveResourcesInfo().length > before; turn += 1) await setImmediate();
const left = process.getActiveResourcesInfo().length - before;
console.log(JSON.stringify({ outcomes, left, grownKb, megabytes: Math.round(process.resourceUsage().maxRSS / 1_024) }));
