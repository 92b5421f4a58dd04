import { Agent as PlainAgent } from 'node:http';
import { Agent as EncryptedAgent } from 'node:https';
import type { Socket } from 'node:net';

/** Connections to the server that are kept: as long as one is idle, few balancers have given it up. */
export interface ServerAgents {
  readonly http: PlainAgent;
  readonly https: EncryptedAgent;
}

/** Of TCP: a peer that is gone is noticed while a watch is silent. */
const keepAliveMs = 30_000;

export function createServerAgents(idleMs = 15_000): ServerAgents {
  const options = { keepAlive: true, keepAliveMsecs: keepAliveMs, scheduling: 'lifo' } as const;
  return { http: endingIdle(new PlainAgent(options), idleMs), https: endingIdle(new EncryptedAgent(options), idleMs) };
}

/** Node's own option for it would also limit the calls. The server may have named a shorter time. */
function endingIdle<Agent extends PlainAgent>(agent: Agent, idleMs: number): Agent {
  const { keepSocketAlive } = agent;
  return Object.assign(agent, {
    keepSocketAlive: (socket: Socket) => {
      const kept: unknown = keepSocketAlive.call(agent, socket);
      socket.setTimeout(Math.min(idleMs, socket.timeout || idleMs));
      return kept;
    },
  });
}
