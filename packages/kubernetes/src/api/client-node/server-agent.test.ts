import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { startServer } from './api-server.fixture.ts';
import { createServerAgents } from './server-agent.ts';

test('a connection is kept for the next call, which may take longer, and ended once it is idle for too long', async () => {
  const server = await startServer((response, { line }) => {
    setTimeout(() => response.end('x'), line.endsWith('/slow') ? 300 : 0);
  });
  const { http } = createServerAgents(100);
  const ask = async (path: string): Promise<number | undefined> => {
    const asked = request(`${server.url}${path}`, { agent: http }).end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    await once(response.resume(), 'end');
    return response.statusCode;
  };
  await ask('/');
  expect(await ask('/slow')).toBe(200);
  expect(server.accepted()).toBe(1);
  while (server.open.size > 0) await sleep(5);
  expect(await ask('/')).toBe(200);
  expect(server.accepted()).toBe(2);
  http.destroy();
  await server.stop();
});
