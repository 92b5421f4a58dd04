import { afterEach, expect, test } from '@jest/globals';
import { Counter, Registry } from 'prom-client';
import { serveEndpoints, type HttpEndpoints } from './http-endpoints.ts';

let endpoints: HttpEndpoints;
afterEach(() => endpoints.close());

test('says what it counts and how it is, and nothing else', async () => {
  const register = new Registry();
  new Counter({ name: 'exports_total', help: 'Exports.', registers: [register] }).inc(3);
  let health = { live: true, ready: false, leading: false };
  endpoints = await serveEndpoints({ port: 0, host: '127.0.0.1', register, health: () => health });
  const ask = async (path: string, method = 'GET') => {
    const answer = await fetch(`http://127.0.0.1:${String(endpoints.port)}${path}`, { method });
    return [answer.status, await answer.text()];
  };
  expect(await ask('/metrics')).toEqual([200, expect.stringContaining('exports_total 3')]);
  expect([await ask('/healthz'), await ask('/readyz')]).toEqual([
    [200, 'ok\n'],
    [503, 'no\n'],
  ]);
  health = { live: false, ready: true, leading: true };
  expect([await ask('/healthz?a=b'), await ask('/readyz')]).toEqual([
    [503, 'no\n'],
    [200, 'ok\n'],
  ]);
  expect(await ask('/')).toEqual([404, '']);
  expect(await ask('/__proto__')).toEqual([404, '']);
  expect(await ask('/metrics', 'POST')).toEqual([405, '']);
});
