import { expect, test } from '@jest/globals';
import { damage, fuzz, fuzzTimeoutMs } from '../../../../core/src/contract/fuzz.fixture.ts';
import { ApiError } from '../api-error.ts';
import type { KubernetesApi, ResourceType } from '../kubernetes-api.ts';
import { configFor, startRaw } from './api-server.fixture.ts';
import { clientNode } from './client-node.ts';

const pods: ResourceType = { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
const object = { metadata: { namespace: 'n', name: 'a', uid: 'u', resourceVersion: '7' }, spec: { said: 'geheim' } };
const bodies = [
  JSON.stringify({ metadata: { resourceVersion: '9', continue: 'c' }, items: [object, object] }),
  [
    { type: 'ADDED', object },
    { type: 'BOOKMARK', object },
    { type: 'ERROR', object: { code: 410, message: 'geheim' } },
  ]
    .map((event) => JSON.stringify(event))
    .join('\n'),
  JSON.stringify({ resources: [{ name: 'pods', kind: 'Pod', namespaced: true }] }),
  JSON.stringify({ kind: 'Status', message: 'geheim', reason: 'Conflict', code: 409 }),
];
const signal = AbortSignal.timeout(600_000);
const calls: readonly ((api: KubernetesApi) => Promise<unknown>)[] = [
  (api) => api.list(pods, { signal }),
  (api) => api.get(pods, object.metadata, { signal }),
  (api) => api.patch(pods, object.metadata, {}, { type: 'merge', fieldManager: 'f', signal }),
  (api) => api.delete(pods, object.metadata, { signal }),
  (api) => api.resourceTypes('v1', { signal }),
  async (api) => {
    let events = 0;
    for await (const _ of api.watch(pods, { resourceVersion: '9', timeoutSeconds: 5, signal })) events += 1;
    return events;
  },
];

test(
  'whatever bytes a server sends, each call ends with a value or an ApiError that says nothing of them',
  async () => {
    let answer: Buffer = Buffer.alloc(0);
    const server = await startRaw((socket) => socket.end(answer));
    const api = clientNode(configFor(server.url), { callTimeout: '2s' });
    const outcomes = new Set<string>();
    try {
      await fuzz(400, async (random) => {
        const body = Buffer.from(`${bodies[random(bodies.length)] ?? ''}\n`);
        const status = ['200 OK', '200 OK', '200 OK', '409 Conflict', '429 Too Many'][random(5)] ?? '';
        const head = `HTTP/1.1 ${status}\r\nContent-Length: ${String(body.length)}\r\nRetry-After: 1\r\n\r\n`;
        const whole = Buffer.concat([Buffer.from(head), body]);
        const answers = [
          () => whole,
          () => damage(whole, random),
          () => Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), damage(body, random)]),
        ];
        answer = answers[random(answers.length)]?.() ?? whole;
        const call = calls[random(calls.length)] ?? calls[0];
        try {
          await call?.(api);
          outcomes.add('value');
        } catch (error) {
          if (!(error instanceof ApiError)) throw error;
          expect(error.message).not.toContain('geheim');
          expect(error.cause).toBeUndefined();
          expect(error.retryAfterMs ?? 0).toBeLessThanOrEqual(3_600_000);
          outcomes.add(error.reason ?? String(error.status));
        }
      });
    } finally {
      await api.close();
      await server.stop();
    }
    expect([...outcomes]).toEqual(expect.arrayContaining(['value', 'BadResponse', 'Unreachable']));
  },
  fuzzTimeoutMs + 60_000,
);
