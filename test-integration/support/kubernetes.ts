import { randomBytes } from 'node:crypto';
import { request } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { clientNode, generateCrds } from '@kollect/kubernetes';
import { createSinkRegistry, type SinkDefinition } from '@kollect/core';
import { kafkaSink } from '@kollect/sink-kafka';
import { natsSink } from '@kollect/sink-nats';
import { postgresSink } from '@kollect/sink-postgres';
import type { KubernetesConnection } from '../servers/kubernetes.ts';
import { waitUntil } from './wait-until.ts';

/** What a server answered. */
export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>> & {
    readonly message?: string;
    readonly metadata?: Readonly<Record<string, unknown>>;
    readonly items?: readonly Readonly<Record<string, unknown>>[];
  };
}

export interface ObjectToApply {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** An API server as its own words have it, beside every client of ours: to prepare a test, and to look at what is there. */
export interface Kubectl {
  ask(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Server-side, with unknown fields refused; rejects with what the server said where it did not take it. */
  apply(object: ObjectToApply): Promise<Answer['body']>;
  get(path: string): Promise<Answer['body'] | undefined>;
  delete(path: string): Promise<void>;
  /** A namespace that only this test knows. */
  namespace(): Promise<string>;
}

/** Path of an object, or of all of its type where the name is empty. */
export function pathOf(apiVersion: string, plural: string, namespace?: string, name?: string): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return [
    root,
    ...(namespace === undefined ? [] : ['namespaces', namespace]),
    plural,
    ...(name === undefined ? [] : [name]),
  ].join('/');
}

/** Plural names of the types that tests apply; all others are those that end in s. */
const plurals: Readonly<Record<string, string>> = {
  KollectInventory: 'kollectinventories',
  ValidatingAdmissionPolicy: 'validatingadmissionpolicies',
  NetworkPolicy: 'networkpolicies',
};

export function createKubectl(server: KubernetesConnection, token = server.token): Kubectl {
  const ask: Kubectl['ask'] = (method, path, body, headers = {}) =>
    new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const sent = { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers };
      const asked = request(
        `${server.url}${path}`,
        { method, ca: server.ca, agent: false, headers: sent },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.once('error', reject);
          answer.once('end', () => {
            const whole = Buffer.concat(chunks).toString();
            resolve({
              status: answer.statusCode ?? 0,
              body: whole.startsWith('{') ? JSON.parse(whole) : { text: whole },
            });
          });
        },
      );
      asked.once('error', reject);
      asked.end(text);
    });
  const kubectl: Kubectl = {
    ask,
    apply: async (object) => {
      const { apiVersion, kind, metadata } = object;
      const plural = plurals[kind] ?? `${kind.toLowerCase()}s`;
      const path = pathOf(apiVersion, plural, metadata.namespace, metadata.name);
      const { status, body } = await ask(
        'PATCH',
        `${path}?fieldManager=test&force=true&fieldValidation=Strict`,
        object,
        {
          'content-type': 'application/apply-patch+yaml',
        },
      );
      if (status >= 300) throw new Error(`${String(status)}: ${String(body.message)}`);
      return body;
    },
    get: async (path) => {
      const { status, body } = await ask('GET', path);
      if (status === 404) return undefined;
      if (status >= 300) throw new Error(`${String(status)}: ${String(body.message)}`);
      return body;
    },
    delete: async (path) => {
      const { status, body } = await ask('DELETE', path);
      if (status >= 300 && status !== 404) throw new Error(`${String(status)}: ${String(body.message)}`);
    },
    namespace: async () => {
      const name = `test-${randomBytes(4).toString('hex')}`;
      await kubectl.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      return name;
    },
  };
  return kubectl;
}

/** The sinks that the tests of Kubernetes know. */
export const testRegistry = createSinkRegistry([postgresSink, kafkaSink, natsSink]);

/** Applies the CRDs of our resources, and waits until they are served. */
export async function applyCrds(
  kubectl: Kubectl,
  registry: ReturnType<typeof createSinkRegistry<readonly SinkDefinition[]>> = testRegistry,
): Promise<void> {
  for (const definition of generateCrds(registry)) await kubectl.apply({ ...definition });
  const served = async (): Promise<boolean> => {
    const { body } = await kubectl.ask('GET', '/apis/kollect.dev/v1alpha1');
    // Five, four of which have a status.
    return (body['resources'] as readonly unknown[] | undefined)?.length === 9;
  };
  await waitUntil(served, { what: 'the resources of kollect.dev are served', timeoutMs: 60_000 });
}

export interface ApiOptions {
  /** Default: who may do everything. */
  readonly token?: string;
  /** Default: the server itself. */
  readonly url?: string;
}

/** The port over the server, as an operator has it: with a KubeConfig of client-node. */
export function apiOf(server: KubernetesConnection, { token = server.token, url = server.url }: ApiOptions = {}) {
  const config = new KubeConfig();
  const caData = Buffer.from(server.ca).toString('base64');
  config.loadFromClusterAndUser({ name: 'test', server: url, caData, skipTLSVerify: false }, { name: 'user', token });
  return clientNode(config);
}
