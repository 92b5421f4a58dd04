import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { joinParts, parseDocument, type InventoryDocument } from '@kollect/core';
import { formatSubject, natsSink, type NatsSpec } from '@kollect/sink-nats';
import { registerConformanceTests, type CreateSinkOptions } from '@kollect/sink-testkit';
import { createAuthority } from '../servers/certificates.ts';
import { startNats, type NatsServer } from '../servers/nats.ts';
import { natsSinkOver, openTestStream, type TestStream } from '../support/nats.ts';
import { waitUntil } from '../support/wait-until.ts';
import { bodyOf } from './bodies.ts';

const owner = { user: 'owner', pass: randomBytes(9).toString('hex') };
let password = `canary-${randomBytes(9).toString('hex')}`;
const secretCanary = password;

const users = (mayPublish: boolean): string => `authorization { users: [
  { user: ${owner.user}, password: "${owner.pass}" }
  { user: exporter, password: "${password}", permissions: {
    publish: { allow: [${mayPublish ? '"inventory.>", ' : ''}"$JS.API.STREAM.INFO.*", "$JS.API.STREAM.MSG.GET.*", "$JS.API.INFO"] }
    subscribe: { allow: ["_INBOX.>"] }
  } }
] }`;

/** What a consumer that knows the data contract alone makes of the messages of a subject. */
async function documentsOf(stream: TestStream, subject: string): Promise<InventoryDocument[]> {
  let documents: InventoryDocument[] = [];
  let parts: InventoryDocument[] = [];
  for (const message of await stream.messages(subject)) {
    if (message.headers['kollect.dev/removed-at'] !== undefined) {
      [documents, parts] = [[], []];
      continue;
    }
    const part = parseDocument(bodyOf(message));
    parts = part.partIndex === undefined || part.partIndex === 0 ? [part] : [...parts, part];
    if (parts.length === (part.partTotal ?? 1)) documents.push(joinParts(parts));
  }
  return documents;
}

describe.each<[string, Partial<NatsSpec>, boolean]>([
  ['one message a snapshot', {}, true],
  ['in parts, as atomic batches of cloud events', { maxMessageBytes: 20_000, format: 'cloudevents' }, true],
  ['in parts, one after the other, compressed', { maxMessageBytes: 20_000, compression: 'zstd' }, false],
  ['the latest alone, in parts', { maxMessageBytes: 20_000, retain: 'latest' }, true],
])('%s', (_, spec, atomic) => {
  const open: { server?: NatsServer; stream?: TestStream; tls?: NatsServer } = {};
  const opened = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('the server is not started yet');
    return value;
  };
  const sinkAt = (server: string, { name, egress, logger }: CreateSinkOptions, more: Partial<NatsSpec> = {}) =>
    natsSinkOver({
      stream: opened(open.stream),
      name,
      egress,
      logger,
      credentials: () => ({ username: 'exporter', password }),
      spec: { ...spec, servers: [server], requestTimeout: '2s', ...more },
    });
  const reload = async (mayPublish: boolean): Promise<void> => {
    await opened(open.server).reload(users(mayPublish));
    const { client } = opened(open.stream);
    const answers = (): Promise<boolean> =>
      client.flush().then(
        () => true,
        () => false,
      );
    await waitUntil(answers, { what: 'the owner of the stream is connected again' });
  };
  beforeAll(async () => {
    open.server = await startNats({ config: users(true) });
    open.stream = await openTestStream({ server: open.server, config: { allow_atomic: atomic }, client: owner });
    const { key, cert } = await (
      await createAuthority()
    ).issue({ commonName: 'localhost', hosts: ['localhost', '127.0.0.1'] });
    open.tls = await startNats({
      config: 'tls { cert_file: "$files/cert", key_file: "$files/key" }',
      files: { key, cert },
    });
  }, 120_000);
  afterAll(async () => {
    await open.stream?.close();
    await Promise.all([open.server?.stop(), open.tls?.stop()]);
  });

  registerConformanceTests({
    test,
    definition: natsSink,
    harness: {
      holds: 'documents',
      createSink: (options) =>
        sinkAt(
          options.server === undefined
            ? (opened(open.server).servers[0] ?? '')
            : `${options.server.host}:${options.server.port}`,
          options,
        ),
      brokenSink: (options) => sinkAt('127.0.0.1:1', options),
      secretCanary,
      read: (scope) => documentsOf(opened(open.stream), formatSubject(scope, opened(open.stream).prefix)),
      hooks: {
        server: { address: () => ({ host: '127.0.0.1', port: opened(open.server).ports[0] ?? 0 }), protocol: 'tcp' },
        untrustedSink: (options) => sinkAt(opened(open.tls).servers[0] ?? '', options, { tls: {} }),
        denyWrites: async () => {
          await reload(false);
          return () => reload(true);
        },
        breakWrites: async () => {
          const { update } = opened(open.stream);
          await update({ max_msg_size: 10 });
          return () => update({ max_msg_size: -1 });
        },
        rotateCredentials: async () => {
          password = `canary-${randomBytes(9).toString('hex')}`;
          await reload(true);
        },
        leftovers: async () => {
          const { streams } = opened(open.stream).manager;
          const names: string[] = [];
          for await (const name of streams.names()) names.push(name);
          return names;
        },
      },
    },
  });
});
