import { describe, expect, test } from '@jest/globals';
import { memorySink, readSnapshots } from '@kollect/core';
import { openTelemetryTracer } from '@kollect/core/opentelemetry';
import { prometheusMetrics } from '@kollect/core/prometheus';
import { createOperator, createResourceWatch, leaderElection } from '@kollect/kubernetes';
import { createKafkaSink } from '@kollect/sink-kafka';
import { evolve, makeItems, makeSnapshot, registerConformanceTests } from '@kollect/sink-testkit';

type Options = Readonly<Record<string, unknown>>;

/** A function of ours, options that it takes, one of these misspelt, and one of them with another kind of value. */
interface Subject {
  readonly name: string;
  readonly use: (options: never) => unknown;
  readonly good: Options;
  readonly misspelt: readonly [string, string];
  readonly wrong: readonly [string, unknown];
}

const conformance = {
  test: () => undefined,
  definition: memorySink(),
  harness: { holds: 'items', createSink: () => undefined, read: () => [] },
};

const nobody = (): Promise<never> => Promise.reject(new Error('Nobody is asked.'));
const api = {
  list: nobody,
  get: nobody,
  create: nobody,
  replace: nobody,
  patch: nobody,
  delete: nobody,
  resourceTypes: nobody,
  watch: () => ({ [Symbol.asyncIterator]: () => ({ next: nobody }) }),
};
const pods = { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };

const subjects: readonly Subject[] = [
  {
    name: 'prometheusMetrics',
    use: prometheusMetrics,
    good: { register: { getSingleMetric: () => undefined, registerMetric: () => undefined } },
    misspelt: ['bucket', 'buckets'],
    wrong: ['register', {}],
  },
  {
    name: 'openTelemetryTracer',
    use: openTelemetryTracer,
    good: {},
    misspelt: ['tracerProvidr', 'tracerProvider'],
    wrong: ['tracer', 'global'],
  },
  {
    name: 'createKafkaSink',
    use: createKafkaSink,
    good: {},
    misspelt: ['clint', 'client'],
    wrong: ['client', 'kafkajs'],
  },
  {
    name: 'readSnapshots',
    use: (options) => readSnapshots([], options).next(),
    good: { skipUnchanged: true },
    misspelt: ['maxValueByte', 'maxValueBytes'],
    wrong: ['maxPendingMessages', '5'],
  },
  {
    name: 'createOperator',
    use: createOperator,
    good: { api, sinks: [memorySink()] },
    misspelt: ['resynk', 'resync'],
    wrong: ['otherNamespaces', 'all'],
  },
  {
    name: 'leaderElection',
    use: leaderElection,
    good: { lease: 'kollect', namespace: 'kollect-system' },
    misspelt: ['leaseDurations', 'leaseDuration'],
    wrong: ['identity', 5],
  },
  {
    name: 'createResourceWatch',
    use: (options) => createResourceWatch(api, options),
    good: { type: pods, signal: AbortSignal.abort() },
    misspelt: ['pageSizes', 'pageSize'],
    wrong: ['pageSize', 0],
  },
  { name: 'makeItems', use: makeItems, good: { count: 1 }, misspelt: ['sed', 'seed'], wrong: ['count', -1] },
  { name: 'makeSnapshot', use: makeSnapshot, good: { count: 1 }, misspelt: ['itms', 'items'], wrong: ['count', '3'] },
  {
    name: 'evolve',
    use: (options) => evolve(makeItems({ count: 3 }), options),
    good: { changed: 1 },
    misspelt: ['remove', 'removed'],
    wrong: ['added', 1.5],
  },
  {
    name: 'registerConformanceTests',
    use: registerConformanceTests,
    good: conformance,
    misspelt: ['timeout', 'timeoutMs'],
    wrong: ['patienceMs', 0],
  },
];

/** What was thrown, or that nothing was. */
async function refusal(
  subject: Subject,
  options: unknown,
): Promise<{ readonly code: unknown; readonly message: string }> {
  try {
    await subject.use(options as never);
    return { code: undefined, message: 'nothing was thrown' };
  } catch (error) {
    return { code: (error as { code?: unknown }).code, message: (error as Error).message };
  }
}

describe.each(subjects)('$name', (subject) => {
  const { good, misspelt, wrong } = subject;

  test('names the option that was meant by one that it does not know', async () => {
    const [given, meant] = misspelt;
    const { code, message } = await refusal(subject, { ...good, [given]: 1 });
    expect(code).toBe('SPEC_INVALID');
    expect(message).toContain(`"${given}" is not known; did you mean "${meant}"?`);
  });

  test('says what it expects in the place of another kind of value', async () => {
    const [name, value] = wrong;
    const { code, message } = await refusal(subject, { ...good, [name]: value });
    expect(code).toBe('SPEC_INVALID');
    expect(message).toMatch(new RegExp(`\\b${name} must be .*, found`, 'u'));
  });

  test.each([[null], ['text'], [5], [[]], [new Map()]])('takes no %p for options', async (options) => {
    const { code, message } = await refusal(subject, options);
    expect(code).toBe('SPEC_INVALID');
    expect(message).toContain('must be an object with');
  });
});
