import { isDeepStrictEqual } from 'node:util';
import { SinkError, type DeliveryLogger, type Exporter, type SinkRegistry, type SinkResource } from '@kollect/core';
import type { ApiObject, ObjectName } from '../../api/kubernetes-api.ts';
import { parseSink, type ParsedSink } from '../../resources/parse-sink.ts';
import { because, causeOf, fieldOf, type Cause } from '../../status/conditions.ts';
import type { SecretResolver } from '../../secrets/secret-types.ts';

/** The KollectSinks of the cluster, as the exporter has them. */
export interface SinkBook {
  /** Makes the exporter know what the resource says now; undefined: it is gone. True where inventories should look again. */
  update(of: ObjectName, resource: ApiObject | undefined): Promise<boolean>;
  /** Whether `update` looked at it already. */
  isSeen(name: string): boolean;
  /** Why it cannot be used. */
  problem(name: string): Cause | undefined;
  /** As the exporter knows it; undefined where it does not. */
  known(name: string): SinkResource | undefined;
  /** Another number each time that it was made or replaced: it may be another store. */
  version(name: string): number;
  /** What `testConnection` takes. Throws as `update` would refuse it. */
  resource(resource: ApiObject): Promise<SinkResource>;
}

export interface SinkBookOptions {
  readonly exporter: Pick<Exporter, 'updateSink' | 'removeSink'>;
  readonly registry: SinkRegistry;
  readonly secrets: Pick<SecretResolver, 'resolve' | 'forget'>;
  readonly logger: DeliveryLogger;
  readonly signal: AbortSignal;
}

interface Entry {
  readonly problem: Cause | undefined;
  readonly known: SinkResource | undefined;
  /** What `known` was made of. */
  readonly sink?: ParsedSink | undefined;
  readonly version: number;
}

/** `namespace/name`, as the exporter knows it. */
export const sinkName = ({ namespace = '', name }: ObjectName): string => `${namespace}/${name}`;

export function nameOfSink(full: string): Required<ObjectName> {
  const [namespace = '', name = ''] = full.split('/');
  return { namespace, name };
}

/**
 * What is refused is taken out of the exporter, so that nothing is delivered to where the resource does not point any more. A sink whose Secret
 * cannot be read now stays while its resource names the same store: what it is connected to is still right.
 */
export function createSinkBook({ exporter, registry, secrets, logger, signal }: SinkBookOptions): SinkBook {
  const entries = new Map<string, Entry>();
  let versions = 0;

  const note = (name: string, entry: Entry | undefined): boolean => {
    const before = entries.get(name);
    if (entry === undefined) entries.delete(name);
    else entries.set(name, entry);
    return before === undefined ? entry !== undefined : !isDeepStrictEqual(before.problem, entry?.problem);
  };
  const remove = (name: string): void => {
    exporter.removeSink(name).catch((error: unknown) => logger.error({ sink: name }, SinkError.from(error).message));
  };
  const refuse = (name: string, error: unknown, problem = causeOf(error)): boolean => {
    logger.warn({ sink: name, reason: problem.reason }, SinkError.from(error).message);
    const wasKnown = entries.get(name)?.known !== undefined;
    if (wasKnown) remove(name);
    return note(name, { problem, known: undefined, version: 0 }) || wasKnown;
  };
  const completed = async (sink: ParsedSink): Promise<SinkResource> => {
    const name = sinkName(sink);
    const { connection, revision } = await secrets.resolve(sink, { signal });
    return { name, config: sink.config, connection: { name, ...connection }, revision, delivery: sink.spec.delivery };
  };

  return {
    isSeen: (name) => entries.has(name),
    problem: (name) => entries.get(name)?.problem,
    known: (name) => entries.get(name)?.known,
    version: (name) => entries.get(name)?.version ?? 0,
    resource: (resource) => completed(parseSink(resource, registry)),
    update: async (of, resource) => {
      const name = sinkName(of);
      if (resource === undefined) {
        if (entries.get(name)?.known !== undefined) remove(name);
        secrets.forget({ namespace: of.namespace ?? '', name: of.name });
        return note(name, undefined);
      }
      let sink: ParsedSink;
      try {
        sink = parseSink(resource, registry);
      } catch (error) {
        return refuse(name, error, isForeign(resource, registry) ? because('TypeNotAllowed') : causeOf(error));
      }
      let ready: SinkResource;
      try {
        ready = await completed(sink);
      } catch (error) {
        signal.throwIfAborted();
        const before = entries.get(name);
        const isMoved = before?.sink !== undefined && !isSameSink(before.sink, sink);
        const problem = causeOf(error);
        if (isMoved) remove(name);
        const kept = isMoved
          ? { known: undefined, version: 0 }
          : { known: before?.known, version: before?.version ?? 0 };
        const changed = note(name, { problem, ...kept, sink: isMoved ? undefined : before?.sink }) || isMoved;
        // Nobody may tell when it can be read again.
        if (SinkError.from(error).retryable) throw error;
        logger.warn({ sink: name, reason: problem.reason }, SinkError.from(error).message);
        return changed;
      }
      try {
        const result = exporter.updateSink(ready);
        if (result !== 'unchanged') versions += 1;
        const version = result === 'unchanged' ? (entries.get(name)?.version ?? 0) : versions;
        return note(name, { problem: undefined, known: ready, sink, version }) || result !== 'unchanged';
      } catch (error) {
        signal.throwIfAborted();
        return refuse(name, error);
      }
    },
  };
}

/** Where it leads, and as whom. */
function isSameSink(a: ParsedSink, b: ParsedSink): boolean {
  const said = ({ uid, config, spec }: ParsedSink) => [uid, config, spec.secretRef, spec.ca];
  return isDeepStrictEqual(said(a), said(b));
}

function isForeign(resource: ApiObject, registry: SinkRegistry): boolean {
  const type = fieldOf(resource['spec'], 'type');
  return typeof type === 'string' && !registry.types.includes(type);
}
