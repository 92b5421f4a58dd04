import { defineSink, SinkError } from '@kollect/core';
import type { KollectSink, SinkContext, SpecOf, SpecSchema } from '@kollect/core';
import {
  boundedDuration,
  createConnectionTest,
  createEventSink,
  createHttpAgent,
  createOperations,
  checkLogin,
  httpBinding,
  readBody,
  tlsSpecProblems,
  tlsSpecSchema,
  type EventChannel,
  type EventMessage,
  type OperationScope,
  type SinkTls,
} from '@kollect/core/authoring';
import { sign } from './signature.ts';
import { classify } from './webhook-errors.ts';

const specSchema = {
  type: 'object',
  properties: {
    url: {
      type: 'string',
      minLength: 1,
      description: 'Whom to post to: https://host/path, or http without encryption.',
    },
    timeout: { type: 'string', default: '30s', description: 'How long one request may take.' },
    tls: tlsSpecSchema,
  },
  required: ['url'],
  additionalProperties: false,
} as const satisfies SpecSchema;

type Spec = ReturnType<typeof resolveSpec>;

/** A sink type that posts each snapshot to a URL, signed; the receiver drops what it has by the idempotency key, and what is older by `exportedAt`. */
export const webhookSink = defineSink({
  type: 'webhook',
  contractVersion: 1,
  role: 'event-emitter',
  capabilities: { removeInventory: true },
  credentialFields: [{ name: 'secret', description: 'Key of the signature, known to the receiver.', secret: true }],
  spanAttributes: { 'http.request.method': 'POST' },
  specSchema,
  resolveSpec,
  create: createWebhookSink,
});

function resolveSpec({ url, timeout, tls }: SpecOf<typeof specSchema>) {
  const { protocol, username, password, hostname = '', port } = URL.parse(url) ?? {};
  const encrypted = protocol === 'https:';
  const { value: timeoutMs = 0, problem } = boundedDuration(timeout, { above: '0s', most: '1h' });
  const problems = [
    ...((encrypted || protocol === 'http:') && username === '' && password === ''
      ? []
      : ['url: expected https://host/path or http://host/path, without user and password']),
    ...(problem === undefined ? [] : [`timeout: ${problem}`]),
    ...(tls === undefined ? [] : tlsSpecProblems(tls)),
    ...(tls !== undefined && encrypted === (tls.mode === 'disable')
      ? ['tls: must say what url says: https or not']
      : []),
  ];
  if (problems.length > 0) throw new SinkError('SPEC_INVALID', `${problems.join('; ')}.`);
  const server = { host: hostname.replace(/^\[(.*)\]$/u, '$1'), port: Number(port || (encrypted ? 443 : 80)) };
  return { url, server, timeoutMs, tls: tls ?? (encrypted ? ({ mode: 'verify-full' } as const) : undefined) };
}

function createWebhookSink(context: SinkContext<Spec>): KollectSink {
  const { name, egress } = context;
  const { url, server, timeoutMs, tls } = context.spec;
  const login = { sinkType: 'webhook', forms: [{ name: 'hmac', needs: ['secret'] }], tls };
  const operations = createOperations({ sinkType: 'webhook', name, classify });
  let material: SinkTls | undefined;
  const agent = createHttpAgent(egress, { tls: () => material });

  const post = async ({ signal }: OperationScope, key: string, headers: EventMessage['headers'], body: Uint8Array) => {
    // Asked for each time: a secret may have been rotated.
    const { fields, tls } = checkLogin(await context.credentials(), await context.tls(), login);
    material = tls;
    const signature = sign(fields['secret'] ?? '', key, body);
    const own = { 'content-type': 'application/json', 'idempotency-key': key, 'kollect-signature': signature };
    const init: RequestInit = { method: 'POST', redirect: 'manual', headers: { ...headers, ...own }, body, signal };
    const answer = await agent.fetch(url, init);
    // The status says it all; what was read leaves the connection for the next request.
    await readBody(answer.body, { maxBytes: 65_536 }).catch(() => undefined);
    const { ok, status, headers: said } = answer;
    if (!ok) throw Object.assign(new Error('The receiver did not take it'), { status, headers: said });
  };
  const channel: EventChannel = {
    send: async (event, { operation }) => {
      const key = event.id();
      for (const { headers, value } of event.messages().messages())
        await post(operation, key, headers, value ?? Buffer.from(JSON.stringify({ removed: headers })));
      return { outcome: 'sent', reference: key };
    },
  };
  const message = { binding: httpBinding, format: 'cloudevents', headers: {}, sinkType: 'webhook' } as const;
  return {
    ...createEventSink({ operations, channel, message, where: 'the receiver', timeoutMs }),
    testConnection: ({ signal }) =>
      operations.run({ operation: 'test-connection', doing: 'testing the receiver', signal }, async (scope) => {
        const test = createConnectionTest({ scope, egress });
        const known = await test.credentials(context, (given, certificates) => {
          return { found: 'There is a secret to sign with.', value: checkLogin(given, certificates, login) };
        });
        const connected = await test.connect(await test.resolve(known && [server]));
        const encryption = known?.tls;
        const ready =
          encryption === undefined
            ? connected
            : await test.tls({ after: connected, tls: ({ host }) => encryption.for(host) });
        await test.step({ name: 'post', doing: 'posting a test', after: ready, timeoutMs }, async (value, step) => {
          await post(step, `test-${Date.now()}`, { 'ce-type': 'dev.kollect.test' }, Buffer.from('{"test":true}'));
          return { found: 'The receiver took a signed test event.', value };
        });
        return test.report();
      }),
    close: () => operations.close(() => agent.close()),
  };
}
