import type { IncomingMessage } from 'node:http';
import { callFailed } from '../api-error.ts';
import { refusal } from './answers.ts';
import { readLogin, type KubeConfigSource } from './kube-config.ts';
import { readJson, readLines } from './read-json.ts';
import { createRunningCall, LoginFailed, type RunningCall } from './running-call.ts';
import { sendRequest, type ServerRequest } from './send-request.ts';
import { createServerAgents } from './server-agent.ts';

/** Calls of one API server. Each ends: by its answer, an ApiError, or the reason of its signal, and then its connection is given up. */
export interface ServerCalls {
  /** The answer, whole. */
  json(request: ServerRequest): Promise<unknown>;
  /** One value for each line, until the server ends it. */
  lines(request: ServerRequest): AsyncGenerator<unknown, void>;
  close(): Promise<void>;
}

export interface ServerCallsOptions {
  readonly connectTimeoutMs: number;
  /** For a whole answer, and for a watch until it begins. */
  readonly callTimeoutMs: number;
}

/** Of a whole answer: what is longer would also hold up the process while it is parsed. */
const maxAnswerBytes = 16 * 2 ** 20;
/** Of one event: an object has at most 3 MB or so. */
const maxLineBytes = 8 * 2 ** 20;
const maxRefusalBytes = 64 * 2 ** 10;

export function createServerCalls(config: KubeConfigSource, options: ServerCallsOptions): ServerCalls {
  const agents = createServerAgents();
  const running = new Set<RunningCall>();
  const { connectTimeoutMs } = options;
  let closed = false;

  const start = ({ call, signal }: ServerRequest): RunningCall => {
    if (signal.aborted) throw signal.reason;
    if (closed) throw callFailed(call, { status: 0, reason: 'Unreachable' }, 'the client is closed');
    const started = createRunningCall({ call, signal, timeoutMs: options.callTimeoutMs });
    running.add(started);
    return started;
  };
  const end = (call: RunningCall, whole: boolean): void => {
    running.delete(call);
    call.end(whole);
  };

  const open = async (call: RunningCall, given: ServerRequest): Promise<IncomingMessage> => {
    const login = await call.until(readLogin(config).catch(loginFailed));
    const response = await call.until(sendRequest(given, { login, agents, connectTimeoutMs, hold: call.hold }));
    const { statusCode: status = 0, headers } = response;
    if (status >= 200 && status < 300) return response;
    const body = await call.until(readJson(response, maxRefusalBytes).catch(() => undefined));
    throw refusal(status, headers, body, given.call);
  };

  return {
    json: async (given) => {
      const call = start(given);
      let whole = false;
      try {
        const value = await call.until(readJson(await open(call, given), maxAnswerBytes));
        whole = true;
        return value;
      } catch (error) {
        throw call.reasonOf(error);
      } finally {
        end(call, whole);
      }
    },
    lines: async function* (given) {
      const call = start(given);
      let whole = false;
      try {
        const response = await open(call, given);
        call.endLimit();
        yield* readLines(response, maxLineBytes);
        whole = true;
      } catch (error) {
        throw call.reasonOf(error);
      } finally {
        end(call, whole);
      }
    },
    close: async () => {
      closed = true;
      for (const call of running) call.fail('Unreachable');
      await Promise.all([...running].map((call) => call.disconnected()));
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

/** What client-node says of it may quote what a program printed. */
function loginFailed(): never {
  throw new LoginFailed();
}
