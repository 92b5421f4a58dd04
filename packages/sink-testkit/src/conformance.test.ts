import { describe, expect, test } from '@jest/globals';
import { createSinkRegistry, formatScope, memorySink } from '@kollect/core';
import { collectChecks, subjectOf } from './broken/broken-sink.fixture.ts';
import { httpSubject } from './broken/http-sink.fixture.ts';
import { documentDefinition, documentHarness } from './broken/document-sink.fixture.ts';
import { registerConformanceTests } from './conformance.ts';

describe('the memory sink', () => {
  const definition = memorySink();
  const registry = createSinkRegistry([definition]);
  registerConformanceTests({
    test,
    definition,
    harness: {
      holds: 'items',
      createSink: () => registry.create({ type: 'memory', memory: {} }),
      read: async (scope) => definition.contents().get(formatScope(scope))?.items ?? [],
    },
  });
});

describe('a sink that works in steps', () => {
  registerConformanceTests({ test, ...subjectOf({}) });
});

describe('a sink that talks HTTP', () => {
  registerConformanceTests({ test, ...httpSubject() });
});

describe('a sink that holds documents', () => {
  registerConformanceTests({ test, definition: documentDefinition, harness: documentHarness() });
});

describe('a sink that holds documents and', () => {
  const faults = [
    { what: 'changes the generation', from: '"generation":1', to: '"generation":7' },
    { what: 'forgets the cluster', from: '"cluster":"', to: '"klaster":"' },
  ];
  test.each(faults)('$what is found', async ({ from, to }) => {
    const harness = documentHarness((message) => Buffer.from(Buffer.from(message).toString().replace(from, to)));
    const check = collectChecks({ definition: documentDefinition, harness }).get(
      'the store equals the snapshot, in every field of every item',
    );
    await expect(check?.()).rejects.toMatchObject({ code: 'ERR_ASSERTION' });
  });
});

describe('what is registered', () => {
  test('follows from what the sink type claims', () => {
    const all = collectChecks(subjectOf({}));
    const { definition, harness } = subjectOf({});
    const few = collectChecks({
      definition: { ...definition, capabilities: documentDefinition.capabilities },
      harness,
    });
    expect([...few.keys()].filter((name) => !all.has(name))).toEqual([]);
    for (const word of [/superseded/, /plan/, /removal/, /incomplete/, /no longer holds/]) {
      expect([...all.keys()].some((name) => word.test(name))).toBe(true);
      expect([...few.keys()].filter((name) => word.test(name) && !name.startsWith('open, plan'))).toEqual([]);
    }
  });

  test('runs the reset of the harness before each check', async () => {
    const { definition, harness } = subjectOf({});
    let resets = 0;
    const reset = async (): Promise<void> => void (resets += 1);
    const check = collectChecks({ definition, harness: { ...harness, reset } }).get(
      'an empty snapshot is an export like any other',
    );
    await check?.();
    expect(resets).toBe(1);
  });

  test('has a time limit, which the author may set', () => {
    const limits = new Set<number | undefined>();
    registerConformanceTests({
      test: (_name, _run, timeoutMs) => limits.add(timeoutMs),
      ...subjectOf({}),
      timeoutMs: 5,
    });
    registerConformanceTests({ test: (_name, _run, timeoutMs) => limits.add(timeoutMs), ...subjectOf({}) });
    expect([...limits]).toEqual([5, 60_000]);
  });
});
