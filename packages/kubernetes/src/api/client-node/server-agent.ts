import { Agent as PlainAgent, type ClientRequest } from 'node:http';
import { Agent as EncryptedAgent } from 'node:https';
import type { Socket } from 'node:net';

/** Connections to the server that are kept: as long as one is idle, few balancers have given it up. */
export interface ServerAgents {
  readonly http: PlainAgent;
  readonly https: EncryptedAgent;
}

const idleMs = 15_000;
/** Of TCP: a peer that is gone is noticed while a watch is silent. */
const keepAliveMs = 30_000;

export function createServerAgents(): ServerAgents {
  const options = { keepAlive: true, keepAliveMsecs: keepAliveMs, scheduling: 'lifo' } as const;
  return { http: endingIdle(new PlainAgent(options)), https: endingIdle(new EncryptedAgent(options)) };
}

/** Node's own option for it would also limit the calls. */
function endingIdle<Agent extends PlainAgent>(agent: Agent): Agent {
  const { keepSocketAlive, reuseSocket } = agent;
  return Object.assign(agent, {
    keepSocketAlive: (socket: Socket) => {
      const kept: unknown = keepSocketAlive.call(agent, socket);
      socket.setTimeout(Math.min(idleMs, socket.timeout || idleMs));
      return kept;
    },
    reuseSocket: (socket: Socket, request: ClientRequest) => {
      socket.setTimeout(0);
      reuseSocket.call(agent, socket, request);
    },
  });
}
