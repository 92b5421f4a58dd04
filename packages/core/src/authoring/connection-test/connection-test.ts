import type { ConnectionOptions } from 'node:tls';
import type { Egress } from '../../contract/egress.ts';
import type { ConnectionReport, ConnectionStep } from '../../contract/sink.ts';
import type { Credentials, SinkContext, TlsMaterial } from '../../registry/sink-context.ts';
import { resolveServer, shakeHands, tryServers, type HandshakeOptions } from './connection-steps.ts';
import type { Finding } from './finding.ts';
import type { OperationScope, StepLimits } from '../operations/operation-scope.ts';
import { credentialRemedies, defaultRemedies, type Remedies } from './remedies.ts';
import { formatServerAddress, type ServerAddress } from '../server-address.ts';
import { withoutRemedy } from '../faults/without-remedy.ts';

export interface ConnectionTestOptions {
  /** The operation `test-connection`; its `classify` names what a step throws. */
  readonly scope: OperationScope;
  readonly egress: Egress;
  /** Limit of each step, in milliseconds. Default 10 000. */
  readonly timeoutMs?: number;
  /** What this sink has better words for than core. */
  readonly remedies?: Remedies;
}

export interface TestStep<P> extends StepLimits {
  /** As it is reported: `table`. */
  readonly name: string;
  /** What an earlier step gave; undefined where that one failed, and then this one is skipped. */
  readonly after: P | undefined;
  readonly remedies?: Remedies;
}

export interface TlsStep {
  readonly after: readonly ServerAddress[] | undefined;
  /** How the server is greeted and checked. What it throws fails the step. */
  readonly tls: (server: ServerAddress) => ConnectionOptions;
  /** What is said in the clear before TLS begins. */
  readonly upgrade?: HandshakeOptions['upgrade'];
  /** What the server is asked within TLS: with TLS 1.3 it refuses our certificate after the handshake. */
  readonly ask?: HandshakeOptions['ask'];
}

/** The steps of a connection test, in the order in which they are called: a failed one is told, and those that build on it are skipped. */
export interface ConnectionTest {
  /** Runs one step within its limit, and gives its value; undefined where it failed. Rejects only where the whole test ended. */
  step<P, T>(
    step: TestStep<P>,
    run: (previous: P, step: OperationScope) => Promise<Finding<T>>,
  ): Promise<T | undefined>;
  /** `credentials`: reads secret and TLS material, and says whose they are, without a secret. */
  credentials<T>(
    context: Pick<SinkContext<unknown>, 'credentials' | 'tls'>,
    read: (credentials: Credentials, material: TlsMaterial) => Finding<T>,
  ): Promise<T | undefined>;
  /** `resolve`: those servers whose name leads to an address that the egress policy allows. One is enough. */
  resolve(servers: readonly ServerAddress[] | undefined): Promise<readonly ServerAddress[] | undefined>;
  /** `connect`: those servers that accept a connection. One is enough. */
  connect(servers: readonly ServerAddress[] | undefined): Promise<readonly ServerAddress[] | undefined>;
  /** `tls`: a handshake with the first server, and how long its certificate is valid. */
  tls(step: TlsStep): Promise<true | undefined>;
  report(): ConnectionReport;
}

const defaultTimeoutMs = 10_000;

export function createConnectionTest({
  scope,
  egress,
  timeoutMs = defaultTimeoutMs,
  remedies,
}: ConnectionTestOptions): ConnectionTest {
  const steps: ConnectionStep[] = [];

  const step: ConnectionTest['step'] = async ({ name, after, doing, remedies: ofStep, ...limits }, run) => {
    if (after === undefined) {
      steps.push({ name, status: 'skipped', code: 'SKIPPED', found: 'An earlier step failed.', durationMs: 0 });
      return undefined;
    }
    const start = performance.now();
    const durationMs = (): number => Math.round(performance.now() - start);
    try {
      const { found, value, warning } = await scope.step({ doing, timeoutMs, ...limits }, async (inner) => {
        try {
          return await run(after, inner);
        } catch (thrown) {
          throw inner.failure(thrown);
        }
      });
      const outcome =
        warning === undefined ? { status: 'passed' as const, code: 'OK' } : { status: 'warning' as const, ...warning };
      steps.push({ name, ...outcome, found, durationMs: durationMs() });
      return value;
    } catch (thrown) {
      const error = scope.failure(thrown);
      scope.throwIfEnded();
      const remedy = error.remedy ?? { ...defaultRemedies, ...remedies, ...ofStep }[error.code];
      steps.push({
        name,
        status: 'failed',
        code: error.code,
        found: withoutRemedy(error),
        remedy,
        durationMs: durationMs(),
      });
      return undefined;
    }
  };

  return {
    step,
    credentials: (context, read) =>
      step(
        { name: 'credentials', doing: 'reading the credentials', after: context, remedies: credentialRemedies },
        async () => read(...(await Promise.all([context.credentials(), context.tls()]))),
      ),
    resolve: (servers) =>
      step({ name: 'resolve', doing: 'resolving names', after: servers, timeoutMs: undefined }, (all, inner) =>
        tryServers(all, inner, { doing: 'resolving', timeoutMs, run: (server) => resolveServer(egress, server) }),
      ),
    connect: (servers) =>
      step({ name: 'connect', doing: 'connecting', after: servers, timeoutMs: undefined }, (all, inner) =>
        tryServers(all, inner, {
          doing: 'connecting to',
          timeoutMs,
          run: async (server, { signal }) => {
            const socket = await egress.dial({ ...server, signal, timeoutMs });
            socket.destroy();
            return `${formatServerAddress(server)} accepts connections.`;
          },
        }),
      ),
    tls: ({ after, tls, ...options }) =>
      step({ name: 'tls', doing: `shaking hands${at(after?.[0])}`, after: after?.[0] }, (server, inner) =>
        shakeHands({ ...options, server, egress, step: inner, timeoutMs, tls: tls(server) }),
      ),
    report: () => ({ ok: steps.every(({ status }) => status !== 'failed'), steps }),
  };
}

function at(server: ServerAddress | undefined): string {
  return server === undefined ? '' : ` with ${formatServerAddress(server)}`;
}
