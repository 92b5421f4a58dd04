import { fileURLToPath } from 'node:url';
import type { KollectSink } from '../contract/sink.ts';
import { createSinkRegistry } from '../create-sink-registry.ts';
import { memorySink } from '../memory-sink.ts';
import { defineSink } from '../registry/define-sink.ts';
import { failure, fakeSnapshot } from './delivery.fixture.ts';
import { createExporter } from './exporter.ts';

/** For the test to start as a program of its own. */
export const programPath = fileURLToPath(import.meta.url);

const later = async (): Promise<never> => Promise.reject(new Error('late'));

/** Each way in which a sink can misbehave. */
const misdeeds: Readonly<Record<string, KollectSink['export']>> = {
  throws: () => {
    throw new Error('x');
  },
  rejects: later,
  fails: async () => Promise.reject(failure('UNAVAILABLE')),
  refuses: async () => Promise.reject(failure('AUTHENTICATION_FAILED')),
  returnsNothing: () => undefined as never,
  hangs: () => new Promise(() => undefined),
  rejectsLate: (_, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => void setTimeout(() => reject(new Error('late')), 100));
    }),
};

function misbehaving(type: string, misdeed: KollectSink['export']) {
  return defineSink({
    type: type.toLowerCase(),
    contractVersion: 1,
    role: 'event-emitter',
    capabilities: { fenced: false, deletes: false, plan: false, removeInventory: false },
    specSchema: { type: 'object', properties: {}, additionalProperties: false },
    create: () => ({ open: async () => undefined, export: misdeed, testConnection: later, close: later }),
  });
}

/** Exports to every kind of sink; leaves a debounced change, failed ones and open circuits behind. */
async function main(shouldClose: boolean): Promise<void> {
  const before = process.getActiveResourcesInfo();
  const definitions = [
    memorySink({ now: () => new Date('2026-01-31T12:05:00Z') }),
    ...Object.entries(misdeeds).map(([type, misdeed]) => misbehaving(type, misdeed)),
  ];
  const registry = createSinkRegistry(definitions);
  const exporter = createExporter({ registry });
  const sinks = definitions.map(({ type }) => type);
  const delivery = {
    attemptTimeout: '20ms',
    abortGrace: '20ms',
    closeTimeout: '20ms',
    retry: { retries: 1, minDelay: '1ms' },
    breaker: { failures: 2, openFor: '1h', forbiddenOpenFor: '1h' },
  };
  for (const type of sinks) exporter.updateSink({ name: type, config: registry.parse({ type }), delivery });
  const inventory = {
    namespace: 'team',
    name: 'all',
    sinks,
    delivery: { exportMinInterval: '1h', isMaterialChange: () => false },
  };
  let outcomes: readonly string[] = [];
  for (const [second, content] of ['a', 'b', 'c'].entries()) {
    const report = await exporter.export(inventory, fakeSnapshot(content, second));
    outcomes = report.sinks.map(({ sink, outcome }) => `${sink}: ${outcome}`);
  }
  const { owed } = exporter.pressure();
  if (shouldClose) await exporter.close();
  // What the misdeeds themselves left behind.
  await new Promise((resolve) => setTimeout(resolve, 150));
  const left = process.getActiveResourcesInfo();
  for (const resource of before) if (left.includes(resource)) left.splice(left.indexOf(resource), 1);
  process.stdout.write(JSON.stringify({ outcomes, owed, left }));
}

if (process.argv[1] === programPath) await main(process.argv[2] === 'close');
