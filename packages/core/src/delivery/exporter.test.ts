import { expect, test } from '@jest/globals';
import { seal } from '../contract/contract.fixture.ts';
import { createSinkRegistry } from '../create-sink-registry.ts';
import { memorySink } from '../memory-sink.ts';
import { createExporter } from './exporter.ts';

test('exports to every sink, and names the one that is not known', async () => {
  const memory = memorySink({ now: () => new Date('2026-01-31T12:05:00Z') });
  const exporter = createExporter({ registry: createSinkRegistry([memory]) });
  expect(exporter.updateSink({ name: 'team/memory', config: { type: 'memory' } })).toBe('created');
  const report = await exporter.export({ namespace: 'team', name: 'all', sinks: ['team/memory', 'team/memry'] }, await seal());
  expect(report).toMatchObject({ namespace: 'team', name: 'all', ok: false, outcomes: { applied: 1, failed: 1 } });
  expect(report.sinks).toMatchObject([
    { sink: 'team/memory', sinkType: 'memory', outcome: 'applied', attempts: 1, counts: { inserted: 1 }, messages: 1 },
    { sink: 'team/memry', outcome: 'failed', reason: 'terminal', attempts: 0, error: { code: 'SPEC_INVALID' } },
  ]);
  expect(report.sinks[1]?.error?.message).toBe('The inventory team/all names the sink "team/memry", which is not known: did you mean "team/memory"?');
  expect(memory.contents().get('team/all')?.items).toHaveLength(1);
  await exporter.close();
});
