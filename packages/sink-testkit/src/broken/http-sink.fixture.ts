import { randomUUID } from 'node:crypto';
import { createSinkRegistry, defineSink, parseDocument, type KollectSink, type SpecSchema } from '@kollect/core';
import {
  createClassifier,
  createConnectionTest,
  createDocumentSink,
  createOperations,
  httpFault,
  singleDocumentLayout,
  type Classifier,
  type ErrorReading,
  type DocumentStore,
} from '@kollect/core/authoring';
import type { ConformanceDefinition } from '../conformance-definition.ts';
import type { CreateSinkOptions } from '../create-sink-options.ts';
import type { DocumentHarness } from '../harness.ts';
import type { Undo } from '../hooks.ts';
import {
  createClient,
  goodClient,
  type Answer,
  type ClientRules,
  type HttpContext,
  type Send,
} from './http-client.fixture.ts';
import { createHttpStore, type HttpStore } from './http-store.fixture.ts';

/** Where the sink can be broken. */
export interface HttpRules extends ClientRules {
  onCreate(context: HttpContext): void;
  classify(classify: Classifier): Classifier;
  store(store: DocumentStore): DocumentStore;
  /** The connection test takes away what it wrote. */
  readonly tidies: boolean;
}

export const goodHttp: HttpRules = {
  ...goodClient,
  onCreate: () => undefined,
  classify: (classify) => classify,
  store: (store) => store,
  tidies: true,
};

const specSchema = {
  type: 'object',
  properties: {
    host: { type: 'string', minLength: 1, description: 'Host of the store.' },
    port: { type: 'integer', minimum: 1, maximum: 65_535, description: 'Port of the store.' },
    tls: { type: 'boolean', default: false, description: 'Whether connections are encrypted.' },
  },
  required: ['host', 'port'],
  additionalProperties: false,
} as const satisfies SpecSchema;

/** An answer that is none of the good ones; nothing of its body is kept. */
class BadAnswer extends Error {
  readonly answer: Pick<Answer, 'status' | 'headers'>;

  constructor({ status, headers }: Answer) {
    super(`HTTP ${status}`);
    this.answer = { status, headers };
  }
}

const classifyAnswers = createClassifier({
  sinkType: 'web',
  server: 'the store',
  specPath: 'spec.web',
  read: ({ answer }): ErrorReading & { readonly answer: BadAnswer['answer'] | undefined } => ({
    answer: answer as BadAnswer['answer'] | undefined,
  }),
  rules: [({ answer }) => (answer === undefined ? undefined : httpFault(answer))],
});

function createStore(send: Send): DocumentStore {
  const ask = async (...[call]: Parameters<Send>): Promise<Answer> => {
    const answer = await send(call);
    if (answer.status >= 300 && answer.status !== 404 && answer.status !== 412) throw new BadAnswer(answer);
    return answer;
  };
  return {
    read: async (key, { signal }) => {
      const { status, headers, body } = await ask({ method: 'GET', path: `/${key}`, signal });
      if (status === 404) return undefined;
      return { version: headers.etag ?? '', chunks: [body] };
    },
    commit: async ({ manifest, ifVersion }, { signal }) => {
      const headers = ifVersion === undefined ? { 'if-none-match': '*' } : { 'if-match': ifVersion };
      const { status, headers: got } = await ask({
        method: 'PUT',
        path: `/${manifest.key}`,
        headers,
        body: manifest.bytes(),
        signal,
      });
      if (status === 412) return { outcome: 'conflict' };
      return { outcome: 'committed', reference: `version ${got.etag ?? 'unknown'}` };
    },
    now: async () => new Date(),
  };
}

function createHttpSink(context: HttpContext, rules: HttpRules): KollectSink {
  rules.onCreate(context);
  const operations = createOperations({
    sinkType: 'web',
    name: context.name,
    classify: rules.classify(classifyAnswers),
  });
  const client = createClient(context, rules);
  const { spec, egress } = context;
  return {
    ...createDocumentSink({ operations, store: rules.store(createStore(client.send)), layout: singleDocumentLayout() }),
    testConnection: ({ signal }) =>
      operations.run({ operation: 'test-connection', doing: 'testing the store', signal }, async (scope) => {
        const test = createConnectionTest({ scope, egress });
        const resolved = await test.resolve([{ host: spec.host, port: spec.port }]);
        const connected = await test.connect(resolved);
        await test.step({ name: 'write', doing: 'writing a file', after: connected }, async (_, step) => {
          const path = `/tmp/${randomUUID()}`;
          const remove = async (): Promise<unknown> =>
            client.send({ method: 'DELETE', path, signal: new AbortController().signal });
          try {
            const answer = await client.send({ method: 'PUT', path, body: Buffer.from('test'), signal: step.signal });
            if (answer.status >= 300) throw new BadAnswer(answer);
          } finally {
            if (rules.tidies) await remove().catch(() => undefined);
          }
          return { found: 'Files can be written.', value: true };
        });
        return test.report();
      }),
    close: () => operations.close(async () => client.close()),
  };
}

/** The sink type `web`, with what is broken in it. */
export function httpDefinition(broken: Partial<HttpRules> = {}) {
  const rules = { ...goodHttp, ...broken };
  return defineSink({
    type: 'web',
    contractVersion: 1,
    role: 'snapshot-store',
    capabilities: { fenced: true, deletes: true, plan: true, removeInventory: true },
    credentialFields: [{ name: 'token', description: 'What the store knows us by.', secret: true }],
    specSchema,
    create: (context) => createHttpSink(context, rules),
  });
}

export const httpCanary = 'tok3n-canary';

export interface HttpSubjectOptions {
  readonly http?: Partial<HttpRules>;
  /** Around each sink that the suite gets. */
  readonly wrap?: (sink: Required<KollectSink>, store: HttpStore) => KollectSink;
  readonly definition?: Partial<ConformanceDefinition>;
}

/** The sink type and a store of its own. */
export function httpSubject({ http, wrap, definition: changed }: HttpSubjectOptions = {}): {
  definition: ConformanceDefinition;
  harness: DocumentHarness;
} {
  const definition = httpDefinition(http);
  const store = createHttpStore(`${httpCanary}-0`);
  let rotations = 0;
  const make = ({ name, egress, logger }: CreateSinkOptions, web: { host: string; port: number; tls?: boolean }) => {
    const sink = createSinkRegistry([definition], { egress }).create(
      { type: 'web', web },
      { name, logger, credentials: () => ({ token: store.token }) },
    );
    return wrap === undefined ? sink : wrap(sink as Required<KollectSink>, store);
  };
  const failing = (status: number) => async (): Promise<Undo> => {
    store.failure = status;
    return async () => {
      store.failure = undefined;
    };
  };
  const harness: DocumentHarness = {
    holds: 'documents',
    createSink: async (options) => make(options, options.server ?? (await store.address())),
    brokenSink: (options) => make(options, { host: '127.0.0.1', port: 1 }),
    secretCanary: httpCanary,
    read: async (scope) => {
      const found = store.files.get(`/${singleDocumentLayout().headKey(scope)}`);
      return found === undefined || found.bytes.includes('"removed":true') ? [] : [parseDocument(found.bytes)];
    },
    hooks: {
      server: { address: store.address, protocol: 'http' },
      untrustedSink: (options) => make(options, { ...options.server, tls: true }),
      denyWrites: failing(403),
      breakWrites: failing(507),
      rotateCredentials: async () => {
        store.token = `${httpCanary}-${(rotations += 1)}`;
        store.endSessions();
      },
      leftovers: async () => [...store.drafts],
    },
  };
  return { definition: { ...definition, ...changed }, harness };
}
