import { SinkError } from '@kollect/core';
import { showText, type Ending, type HeldClient } from '@kollect/core/authoring';
import type { NatsClient } from '../nats-client.ts';
import type { ResolvedNatsSpec } from '../nats-spec.ts';
import { subjectsOf } from '../publishing/subject.ts';
import { jetStreamCode } from '../wire/failure.ts';
import { askJetStream, countOf, fieldsOf } from './api.ts';

/** What the sink must know of the stream. */
export interface StreamState {
  /** Largest message, headers included, that server, stream and spec take. */
  readonly maxMessageBytes: number;
  /** Whether a document in parts appears as a whole or not at all. */
  readonly atomic: boolean;
  /** Messages that it keeps of one subject; undefined where that is not limited. */
  readonly maxPerSubject?: number;
  readonly maxBytes?: number;
  readonly maxAgeMs: number;
  readonly replicas: number;
  readonly discard: 'old' | 'new';
  readonly hasLeader: boolean;
}

export interface StreamStates {
  /** What was found last, or now. Makes the stream where the spec says so. */
  known(waiting: Ending): Promise<StreamState>;
  forget(): void;
}

const noStream = 10059;
const nameTaken = 10058;
const batchesSince = [2, 12] as const;

export function createStreamStates(spec: ResolvedNatsSpec, clients: HeldClient<NatsClient>): StreamStates {
  let found: Promise<StreamState> | undefined;
  let state: StreamState | undefined;
  const look = async (waiting: Ending): Promise<StreamState> => {
    const lease = await clients.connected(waiting);
    return lease.shared(
      waiting,
      lease.call((client) => findStream(client, spec)),
    );
  };
  return {
    known: async (waiting) => {
      if (state !== undefined) return state;
      if (found !== undefined) {
        const shared = found;
        try {
          return await waiting.unlessEnded(shared);
        } catch (error) {
          // Of somebody else, who did not wait to the end.
          waiting.throwIfEnded();
          if (found === shared) throw error;
        }
      }
      const own = look(waiting);
      found = own;
      try {
        const looked = await own;
        if (found === own) state = looked;
        return looked;
      } catch (error) {
        if (found === own) found = undefined;
        throw error;
      }
    },
    forget: () => (found = state = undefined),
  };
}

/** The stream, made where it is missing and the spec allows it. Throws NOT_FOUND, and SCHEMA_MISMATCH that names all that is wrong with it. */
export async function findStream(client: NatsClient, spec: ResolvedNatsSpec): Promise<StreamState> {
  const info = await describeStream(client, spec);
  if (info !== undefined) return checkedState(client, spec, info);
  if (spec.newStream === undefined) throw missing(spec);
  try {
    await askJetStream(client, `STREAM.CREATE.${spec.stream}`, newStreamConfig(spec, client.server.version));
  } catch (error) {
    if (jetStreamCode(error) !== nameTaken) throw error;
  }
  const made = await describeStream(client, spec);
  if (made === undefined) throw missing(spec);
  return checkedState(client, spec, made);
}

type Fields = Readonly<Record<string, unknown>>;

/** What JetStream says of the stream; undefined where there is none. */
export async function describeStream(client: NatsClient, { stream }: ResolvedNatsSpec): Promise<Fields | undefined> {
  try {
    return await askJetStream(client, `STREAM.INFO.${stream}`);
  } catch (error) {
    if (jetStreamCode(error) === noStream) return undefined;
    throw error;
  }
}

export function missing({ stream }: ResolvedNatsSpec): SinkError {
  return new SinkError('NOT_FOUND', `The stream ${showText(stream)} does not exist.`, {
    sinkType: 'nats',
    remedy: 'Create it, correct spec.nats.stream, or set spec.nats.provisioning to create.',
  });
}

function newStreamConfig(spec: ResolvedNatsSpec, version: string): Fields {
  const { stream: name, subjectPrefix, retain, newStream } = spec;
  const { replicas = 1, maxAgeMs = 0, maxBytes = -1, storage = 'file', discard = 'new' } = newStream ?? {};
  return {
    name,
    subjects: [`${subjectPrefix}.>`],
    retention: 'limits',
    num_replicas: replicas,
    max_age: maxAgeMs * 1_000_000,
    max_bytes: maxBytes,
    storage,
    discard,
    allow_direct: true,
    allow_rollup_hdrs: retain === 'latest',
    // Servers that know no batches refuse a stream that is to have them.
    ...(isAtLeast(version, batchesSince) ? { allow_atomic: true } : {}),
  };
}

export function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [found = 0, foundMinor = 0] = version.split('.').map(Number);
  return found > major || (found === major && foundMinor >= minor);
}

function checkedState(client: NatsClient, spec: ResolvedNatsSpec, info: Fields): StreamState {
  const problems = streamProblems(spec, fieldsOf(info['config']));
  if (problems.length > 0)
    throw new SinkError(
      'SCHEMA_MISMATCH',
      `The stream ${showText(spec.stream)} cannot be used: ${problems.join('; ')}.`,
      {
        sinkType: 'nats',
        remedy: 'Change the stream, or name another one: the sink never alters one that exists.',
      },
    );
  return stateOf(client, spec, info);
}

function stateOf({ server }: NatsClient, spec: ResolvedNatsSpec, info: Fields): StreamState {
  const config = fieldsOf(info['config']);
  const limits = [server.maxPayload, positive(config['max_msg_size']), spec.maxMessageBytes];
  const maxPerSubject = positive(config['max_msgs_per_subject']);
  const maxBytes = positive(config['max_bytes']);
  const cluster = info['cluster'];
  return {
    maxMessageBytes: Math.min(...limits.filter((limit) => limit !== undefined)),
    atomic: config['allow_atomic'] === true && isAtLeast(server.version, batchesSince),
    ...(maxPerSubject === undefined ? {} : { maxPerSubject }),
    ...(maxBytes === undefined ? {} : { maxBytes }),
    maxAgeMs: (positive(config['max_age']) ?? 0) / 1_000_000,
    replicas: countOf(config['num_replicas']) ?? 1,
    discard: config['discard'] === 'new' ? 'new' : 'old',
    hasLeader: cluster === undefined || typeof fieldsOf(cluster)['leader'] === 'string',
  };
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined;
}

/** What of the stream's settings the sink cannot work with, all of it. */
export function streamProblems(spec: ResolvedNatsSpec, config: Fields): string[] {
  const subjects = Array.isArray(config['subjects'])
    ? config['subjects'].filter((each) => typeof each === 'string')
    : [];
  const wanted = subjectsOf(spec);
  const replicas = countOf(config['num_replicas']) ?? 1;
  return [
    ...(config['mirror'] === undefined || config['mirror'] === null ? [] : ['it is a mirror, which takes no messages']),
    ...(subjects.some((subject) => covers(subject, wanted))
      ? []
      : [`none of its subjects takes all of ${showText(wanted)}, as ${showText(`${spec.subjectPrefix}.>`)} would`]),
    ...(config['retention'] === 'limits'
      ? []
      : ['its retention is not limits, so that what was read is deleted and the fence with it']),
    ...(config['sealed'] === true ? ['it is sealed'] : []),
    ...(config['no_ack'] === true ? ['no_ack is set, so that it acknowledges nothing'] : []),
    ...(spec.retain === 'latest' && config['allow_rollup_hdrs'] !== true
      ? ['allow_rollup_hdrs is off, which retain latest needs']
      : []),
    ...(replicas < spec.minReplicas
      ? [
          `it has ${replicas} ${replicas === 1 ? 'replica' : 'replicas'}, and spec.nats.minReplicas is ${spec.minReplicas}`,
        ]
      : []),
  ];
}

/** Whether a subject with wildcards takes whatever the other one takes. */
export function covers(subject: string, wanted: string): boolean {
  const ours = wanted.split('.');
  const theirs = subject.split('.');
  for (const [index, token] of theirs.entries()) {
    const own = ours[index];
    if (token === '>') return own !== undefined;
    if (own === undefined || (token !== '*' && token !== own)) return false;
  }
  return theirs.length === ours.length;
}
