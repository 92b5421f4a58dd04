import { SinkError, type DeliveryLogger, type Exporter, type SinkResource } from '@kollect/core';
import type { ApiObject, ObjectName } from '../api/kubernetes-api.ts';
import type { ObjectApi } from '../operator/limited-api.ts';
import { parseConnectionTest, type ParsedConnectionTest } from '../resources/parse-resources.ts';
import { connectionTestType, sinkType } from '../resources/resource-types.ts';
import { because, fieldOf, judge, type Judgement } from '../status/conditions.ts';
import { sinkName as keyOf } from '../operator/sinks/sink-book.ts';
import { reasonOf, textOfCode } from '../status/reasons.ts';
import { fieldManager, type StatusWriter } from '../status/status-writer.ts';
import { refusedReport, tenantReport, type TenantReport } from './tenant-report.ts';

/** Runs each KollectConnectionTest once, and takes it away when its time is over. */
export interface TestController {
  /** Looks at one test; gives in how many milliseconds it is to be looked at again. */
  visit(of: ObjectName, resource: ApiObject | undefined): Promise<number | undefined>;
}

export interface TestControllerOptions {
  readonly api: Pick<ObjectApi, 'patch' | 'delete'>;
  readonly exporter: Pick<Exporter, 'testConnection'>;
  /** `unknown`: it is not known yet which sinks there are. */
  readonly sinkOf: (of: ObjectName) => ApiObject | 'unknown' | undefined;
  /** What the exporter takes; rejects where the sink cannot be used. */
  readonly resourceOf: (sink: ApiObject) => Promise<SinkResource>;
  readonly status: StatusWriter;
  readonly timeOfDay: () => number;
  readonly logger: DeliveryLogger;
  readonly signal: AbortSignal;
}

const conditionType = 'ConnectionVerified';
/** Another test of the sink runs, or it is not known what sinks there are. */
const waitMs = 1_000;
/** Of a resource that cannot be read. */
const defaultTtlSeconds = 300;

export function createTestController(options: TestControllerOptions): TestController {
  const { api, exporter, sinkOf, resourceOf, status, timeOfDay, logger, signal } = options;
  /** Sinks of which a test runs. */
  const running = new Set<string>();
  /** By test, what the watch may not have brought back yet: it is not made once more. */
  const completed = new Map<string, { readonly uid: string | undefined; readonly at: string }>();

  const completedAt = (key: string, resource: ApiObject): string | undefined => {
    const known = completed.get(key);
    if (known !== undefined && known.uid === resource.metadata.uid) return known.at;
    const at = fieldOf(resource['status'], 'completedAt');
    return typeof at === 'string' && !Number.isNaN(Date.parse(at)) ? at : undefined;
  };

  const finish = async (resource: ApiObject, report: TenantReport, startedAt: number): Promise<number> => {
    const endedAt = timeOfDay();
    const hides = report.steps.some(({ status: each, durationMs }) => each === 'failed' && durationMs === undefined);
    const { code, remedy, steps } = report;
    await status.write(connectionTestType, resource, {
      observedGeneration: resource.metadata.generation ?? 0,
      startedAt: seconds(startedAt),
      completedAt: seconds(endedAt),
      ...(hides ? {} : { durationMs: Math.max(0, Math.round(endedAt - startedAt)) }),
      ...(code === undefined ? {} : { code }),
      ...(remedy === undefined ? {} : { remedy }),
      steps,
      conditions: [verdict(report)],
    });
    completed.set(keyOf(resource.metadata), { uid: resource.metadata.uid, at: seconds(endedAt) });
    return ttlMs(resource);
  };

  const collect = async (of: ObjectName, resource: ApiObject, at: string): Promise<number | undefined> => {
    const leftMs = Date.parse(at) + ttlMs(resource) - timeOfDay();
    if (leftMs > 0) return leftMs;
    const { uid } = resource.metadata;
    await api.delete(connectionTestType, of, { signal, ...(uid === undefined ? {} : { uid }) });
    return undefined;
  };

  /** So that it goes with its sink. */
  const adopt = async (of: ObjectName, resource: ApiObject, sink: ApiObject): Promise<void> => {
    const { uid, resourceVersion, ownerReferences = [] } = resource.metadata;
    const owner = {
      apiVersion: sinkType.apiVersion,
      kind: sinkType.kind,
      name: sink.metadata.name,
      uid: sink.metadata.uid,
    };
    const body = { metadata: { uid, resourceVersion, ownerReferences: [...ownerReferences, owner] } };
    await api.patch(connectionTestType, of, body, { type: 'merge', fieldManager, signal });
  };

  const run = async (resource: ApiObject, sink: ApiObject): Promise<number> => {
    const startedAt = timeOfDay();
    const { namespace, name } = resource.metadata;
    let report: TenantReport;
    try {
      const found = await exporter.testConnection(await resourceOf(sink), { signal });
      for (const step of found.steps)
        if (step.status === 'failed')
          logger.info({ namespace, name, step: step.name, code: step.code }, `A connection test failed: ${step.found}`);
      report = tenantReport(found);
    } catch (error) {
      signal.throwIfAborted();
      logger.info({ namespace, name }, `A connection test could not be made: ${SinkError.from(error).message}`);
      report = refusedReport(error);
    }
    return finish(resource, report, startedAt);
  };

  return {
    visit: async (of, resource) => {
      const own = keyOf(of);
      if (resource === undefined) completed.delete(own);
      if (resource === undefined || resource.metadata.deletionTimestamp !== undefined) return undefined;
      const at = completedAt(own, resource);
      // Once it is completed nothing of it changes any more, whatever becomes of its spec.
      if (at !== undefined) return collect(of, resource, at);
      let test: ParsedConnectionTest;
      try {
        test = parseConnectionTest(resource);
      } catch (error) {
        return finish(resource, refusedReport(error), timeOfDay());
      }
      const { namespace } = test;
      const { name } = test.spec.sinkRef;
      const sink = sinkOf({ namespace, name });
      if (sink === 'unknown') return waitMs;
      if (sink === undefined) return finish(resource, missingSink, timeOfDay());
      const isOwned = resource.metadata.ownerReferences?.some(({ uid }) => uid === sink.metadata.uid) === true;
      if (!isOwned) {
        // Its own event brings it back.
        await adopt(of, resource, sink);
        return waitMs;
      }
      const key = keyOf({ namespace, name });
      if (running.has(key)) return waitMs;
      running.add(key);
      try {
        return await run(resource, sink);
      } finally {
        running.delete(key);
      }
    },
  };
}

const missingSink: TenantReport = {
  ok: false,
  steps: [],
  code: 'NOT_FOUND',
  remedy: 'There is no KollectSink of this name in the namespace of the test.',
};

function verdict({ ok, code = 'CONTRACT_VIOLATION' }: TenantReport): Judgement {
  if (ok) return judge(conditionType, 'True', because('Verified'));
  return judge(conditionType, 'False', { reason: reasonOf(code), message: textOfCode(code) });
}

function ttlMs(resource: ApiObject): number {
  const ttl = fieldOf(resource['spec'], 'ttlSecondsAfterFinished');
  return (typeof ttl === 'number' && ttl >= 0 && ttl <= 604_800 ? ttl : defaultTtlSeconds) * 1_000;
}

function seconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/u, 'Z');
}
