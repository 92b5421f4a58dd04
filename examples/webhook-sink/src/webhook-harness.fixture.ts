import { setImmediate as nextTurn } from 'node:timers/promises';
import { createSinkRegistry, formatMessageKey, parseDocument, type InventoryDocument, type Scope } from '@kollect/core';
import type { ConformanceOptions, CreateSinkOptions } from '@kollect/sink-testkit';
import { startReceiver } from './receiver.ts';
import { webhookSink } from './webhook-sink.ts';

/** What the conformance suite needs, in whichever test runner: the sink, and a receiver that keeps what it is sent. */
export function webhookHarness(): Pick<ConformanceOptions, 'definition' | 'harness'> {
  const documents = new Map<string, readonly InventoryDocument[]>();
  let secret = 'canary-secret-0';
  let status = 200;
  const keep = (type: string, body: Buffer): number => {
    if (status !== 200 || type === 'dev.kollect.test') return status;
    const content: unknown = JSON.parse(body.toString());
    if (typeof content === 'object' && content !== null && 'removed' in content) {
      const headers = content.removed as Record<string, string>;
      documents.delete(headers['ce-partitionkey'] ?? '');
      return 200;
    }
    const document = parseDocument(body);
    const key = formatMessageKey(document);
    const held = documents.get(key) ?? [];
    // As every receiver must: a request that was under way for long may come after a newer one.
    if ((held.at(-1)?.exportedAt ?? '') > document.exportedAt) return 200;
    documents.set(key, [...held, document]);
    return 200;
  };
  let receiver: ReturnType<typeof startReceiver> | undefined;
  const start = async () => {
    const made = await startReceiver({ secrets: () => [secret], onEvent: keep });
    made.unref();
    return made;
  };
  const started = () => (receiver ??= start());
  const sinkAt = (url: string, { name, egress, logger }: CreateSinkOptions) =>
    createSinkRegistry([webhookSink], { egress }).create(
      { type: 'webhook', webhook: { url } },
      { name, logger, credentials: () => ({ secret }) },
    );
  const answering = async (other: number) => {
    status = other;
    return async () => {
      status = 200;
    };
  };
  return {
    definition: webhookSink,
    harness: {
      holds: 'documents',
      createSink: async (options) => {
        const { host, port } = options.server ?? { host: '127.0.0.1', port: (await started()).port };
        return sinkAt(`http://${host}:${port}/`, options);
      },
      brokenSink: (options) => sinkAt('http://127.0.0.1:1/', options),
      secretCanary: secret,
      read: async (scope: Scope) => {
        // What lies in a socket already has left its sink, also one that was closed since: the receiver takes it first.
        for (let turn = 0; turn < 50; turn += 1) await nextTurn();
        return documents.get(formatMessageKey(scope)) ?? [];
      },
      hooks: {
        server: { address: async () => ({ host: '127.0.0.1', port: (await started()).port }), protocol: 'http' },
        untrustedSink: (options) => sinkAt(`https://${options.server.host}:${options.server.port}/`, options),
        denyWrites: () => answering(403),
        breakWrites: () => answering(500),
        rotateCredentials: async () => {
          secret = `canary-secret-${Number(secret.slice(-1)) + 1}`;
        },
        leftovers: false,
      },
    },
  };
}
