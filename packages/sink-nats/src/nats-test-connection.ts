import { SinkError, type ConnectionReport, type SinkContext } from '@kollect/core';
import {
  capital,
  certificateExpiry,
  createConnectionTest,
  showText,
  type Finding,
  type OperationScope,
  type Remedies,
} from '@kollect/core/authoring';
import { answerOf, askJetStream, countOf, fieldsOf } from './jetstream/api.ts';
import { findStream, describeStream, missing, type StreamState } from './jetstream/stream-state.ts';
import { clientConfig, createNatsClient, type NatsClient } from './nats-client.ts';
import { checkNatsLogin } from './nats-login.ts';
import type { ResolvedNatsSpec } from './nats-spec.ts';
import { failureKind, jetStreamCode } from './wire/failure.ts';

export interface TestConnectionOptions {
  readonly scope: OperationScope;
  readonly context: SinkContext<ResolvedNatsSpec>;
}

/**
 * Tries what an export needs, a step at a time: credentials, resolve, connect, login (with TLS), account, stream, permission, size, durability
 * and parts. Stores nothing. Rejects only when aborted.
 */
export async function testConnection({ scope, context }: TestConnectionOptions): Promise<ConnectionReport> {
  const { spec, egress } = context;
  const on = createConnectionTest({ scope, egress, timeoutMs: spec.connectTimeoutMs, remedies });
  const client = createNatsClient(clientConfig(context));
  const leave = scope.onEnd(() => void client.destroy());
  try {
    const login = await on.credentials(context, (given, material) => {
      const value = checkNatsLogin(spec, given, material);
      const expiry = certificateExpiry(material.cert ?? '', { subject: 'the client certificate' });
      const who = value.form === 'none' ? 'none' : `by ${value.form === 'password' ? 'user and password' : value.form}`;
      const certificate = material.cert === undefined ? '' : ' A client certificate is shown.';
      return {
        found: `Login: ${who}.${certificate}${expiry === undefined ? '' : ` ${capital(expiry.found)}.`}`,
        value,
        warning: expiry?.warning,
      };
    });
    const connected = await on.connect(await on.resolve(login === undefined ? undefined : spec.servers));
    const session = await on.step(
      {
        name: 'login',
        doing: 'logging in',
        after: connected,
        timeoutMs: spec.connectTimeoutMs * spec.servers.length,
      },
      async () => {
        await client.connect();
        return loggedIn(client, spec);
      },
    );
    const asking = { timeoutMs: spec.requestTimeoutMs * 2 };
    const account = await on.step(
      { name: 'account', doing: 'asking for JetStream', after: session, ...asking },
      checkAccount,
    );
    const stream = await on.step({ name: 'stream', doing: 'asking for the stream', after: account, ...asking }, () =>
      checkStream(client, spec),
    );
    const found = { after: stream, ...asking };
    await on.step({ name: 'permission', doing: 'asking for the right to publish', ...found }, (state) =>
      checkPermission(client, spec, state),
    );
    const looking = { doing: 'looking at the stream', ...found };
    await on.step({ name: 'size', ...looking }, async (state) => checkSize(spec, state));
    await on.step({ name: 'durability', ...looking }, async (state) => checkDurability(spec, state));
    await on.step({ name: 'parts', ...looking }, async (state) => checkParts(spec, state));
    return on.report();
  } finally {
    leave();
    await client.destroy();
  }
}

const remedies: Remedies = {
  NOT_FOUND: 'Create the stream, correct its name in the spec, or set provisioning to create.',
  PERMISSION_DENIED: 'Grant the user what docs/nats.md lists.',
  UNAVAILABLE: 'Check servers and firewall, and that JetStream is enabled for the account.',
  TIMEOUT: 'Check firewall and load of the servers, or raise connectTimeout and requestTimeout.',
  BACKEND_ERROR: 'Check that NATS 2.10 or newer answers at host and port, and read the log of the server.',
};

/** `undefined` of a stream that the first export makes. */
interface Found {
  readonly state: StreamState | undefined;
}

function loggedIn(client: NatsClient, { tls }: ResolvedNatsSpec): Finding<NatsClient> {
  const encrypted = tls !== undefined && tls.mode !== 'disable';
  const found = `NATS ${client.server.version} let us in, ${encrypted ? 'over TLS' : 'not encrypted'}.`;
  if (encrypted) return { found, value: client };
  const remedy =
    'What is published, and a password or token, cross the network in the clear: set tls: {} and turn TLS on at the server.';
  return { found, value: client, warning: { code: 'TLS_FAILED', remedy } };
}

const denied = 'PERMISSION_DENIED';

async function checkAccount(client: NatsClient): Promise<Finding<true>> {
  const answer = await askJetStream(client, 'INFO').catch((error: unknown) => {
    if (failureKind(error) !== 'denied-publish') throw error;
  });
  if (answer === undefined) {
    const remedy = 'Nothing, where the stream is found: what the account may use stays unknown.';
    return {
      found: 'The user may not ask for the limits of the account.',
      value: true,
      warning: { code: denied, remedy },
    };
  }
  const [storage, streams] = [countOf(answer['storage']) ?? 0, countOf(answer['streams']) ?? 0];
  const most = countOf(fieldsOf(answer['limits'])['max_storage']) ?? -1;
  const limit = most > 0 ? ` of ${most}` : '';
  return {
    found: `JetStream is enabled; ${streams} streams, ${storage}${limit} bytes of storage in use.`,
    value: true,
  };
}

async function checkStream(client: NatsClient, spec: ResolvedNatsSpec): Promise<Finding<Found>> {
  const name = showText(spec.stream);
  if ((await describeStream(client, spec)) === undefined) {
    if (spec.newStream === undefined) throw missing(spec);
    return { found: `The stream ${name} does not exist; the first export makes it.`, value: { state: undefined } };
  }
  const state = await findStream(client, spec);
  const found = `The stream ${name} takes the subjects of ${showText(spec.subjectPrefix)}.`;
  if (state.hasLeader) return { found, value: { state } };
  const remedy = 'Bring the servers of the stream back: nothing can be published before.';
  return { found: `${found} It has no leader.`, value: { state }, warning: { code: 'UNAVAILABLE', remedy } };
}

/** Of a sequence that no stream has, so that a user who may publish is refused for that alone. */
const impossible = String(Number.MAX_SAFE_INTEGER);
const wrongSequence: ReadonlySet<number | undefined> = new Set([10071, 10164]);

async function checkPermission(client: NatsClient, spec: ResolvedNatsSpec, { state }: Found): Promise<Finding<true>> {
  if (state === undefined) return { found: 'Nothing to ask before the stream is made.', value: true };
  const headers = { 'Nats-Expected-Stream': spec.stream, 'Nats-Expected-Last-Subject-Sequence': impossible };
  // No scope has this subject: no name holds U+0000.
  const subject = `${spec.subjectPrefix}._.kollect.%00`;
  const question = { subject, headers: [headers], body: new Uint8Array() };
  try {
    answerOf(await client.request(question));
  } catch (error) {
    if (!wrongSequence.has(jetStreamCode(error))) throw error;
  }
  await askJetStream(client, `STREAM.MSG.GET.${spec.stream}`, { last_by_subj: subject }).catch((error: unknown) => {
    if (jetStreamCode(error) === undefined) throw error;
  });
  return {
    found: `The user may publish below ${showText(spec.subjectPrefix)} and read the last message.`,
    value: true,
  };
}

/** The headers of the smallest snapshot take about so many. */
const fewestBytes = 512;

function checkSize({ maxMessageBytes: wanted }: ResolvedNatsSpec, { state }: Found): Finding<true> {
  if (state === undefined) return { found: 'As the server is set.', value: true };
  const { maxMessageBytes } = state;
  if (maxMessageBytes < fewestBytes)
    throw new SinkError(
      'PAYLOAD_TOO_LARGE',
      `Server and stream take messages of ${maxMessageBytes} bytes, less than the headers of ours alone.`,
      {
        remedy: 'Raise max_payload of the server, max_msg_size of the stream and maxMessageBytes.',
      },
    );
  const found = `Server and stream take messages of ${maxMessageBytes} bytes${wanted === maxMessageBytes ? ', which is maxMessageBytes' : ''}.`;
  if (wanted === undefined || wanted <= maxMessageBytes) return { found, value: true };
  const remedy = `Lower maxMessageBytes from ${wanted}, or raise max_payload of the server and max_msg_size of the stream: until then larger documents go in parts of ${maxMessageBytes} bytes.`;
  return { found, value: true, warning: { code: 'PAYLOAD_TOO_LARGE', remedy } };
}

const shortAgeMs = 86_400_000;

function checkDurability({ newStream }: ResolvedNatsSpec, { state }: Found): Finding<true> {
  const replicas = state?.replicas ?? newStream?.replicas ?? 1;
  const discard = state?.discard ?? newStream?.discard ?? 'new';
  const maxAgeMs = state?.maxAgeMs ?? newStream?.maxAgeMs ?? 0;
  const maxBytes = state === undefined ? newStream?.maxBytes : state.maxBytes;
  const found = `${replicas} ${replicas === 1 ? 'replica' : 'replicas'}, max_age ${maxAgeMs} ms, max_bytes ${maxBytes ?? 'not limited'}, discard ${discard}.`;
  const advice = [
    ...(replicas === 1
      ? ['Use three replicas: an acknowledged message is lost with the disk of its only server.']
      : []),
    ...(maxBytes !== undefined && discard === 'old'
      ? ['Let the stream discard what is new: a full one deletes the snapshots of inventories that change seldom.']
      : []),
    ...(maxAgeMs > 0 && maxAgeMs < shortAgeMs
      ? [
          `Raise max_age of the stream to ${shortAgeMs} ms or more: a new consumer misses every inventory that did not change within that time.`,
        ]
      : []),
  ];
  if (advice.length === 0) return { found, value: true };
  return { found, value: true, warning: { code: 'UNAVAILABLE', remedy: advice.join(' ') } };
}

function checkParts({ retain }: ResolvedNatsSpec, { state }: Found): Finding<true> {
  if (state === undefined || state.atomic)
    return { found: 'A document in parts is one atomic batch: all of it appears, or nothing.', value: true };
  const consequence =
    retain === 'latest'
      ? 'until then a document that needs parts is refused'
      : 'until then parts appear one after the other, and consumers wait for the last';
  const remedy = `Set allow_atomic of the stream, on NATS 2.12 or newer: ${consequence}.`;
  return { found: 'The stream takes no atomic batches.', value: true, warning: { code: 'SCHEMA_MISMATCH', remedy } };
}
