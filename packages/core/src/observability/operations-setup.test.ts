import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { expect, jest, test } from '@jest/globals';
import { sealSnapshot } from '../contract/snapshot/seal-snapshot.ts';
import { readOperations } from './operations.fixture.ts';

test('the setup of docs/operations.md runs as it is printed, and serves what the page promises', async () => {
  const printed = /```ts\n(?<code>[\s\S]*?)```/u.exec(readOperations('../operations.md'))?.groups?.['code'];
  expect(printed).toBe(readFileSync(new URL('operations-setup.fixture.ts', import.meta.url), 'utf8'));

  process.env['METRICS_PORT'] = '0';
  const log = jest.spyOn(console, 'debug').mockImplementation(() => undefined);
  const before = process.listeners('SIGTERM');
  const { exporter, server, shutdown } = await import('./operations-setup.fixture.ts');
  try {
    if (!server.listening) await once(server, 'listening');
    exporter.updateSink({ name: 'team/memory', config: { type: 'memory' } });
    const snapshot = await sealSnapshot({
      inventoryNamespace: 'team',
      inventoryName: 'apps',
      generation: 1,
      items: [],
    });
    expect(await exporter.export({ namespace: 'team', name: 'apps', sinks: ['team/memory'] }, snapshot)).toMatchObject({
      ok: true,
    });
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`);
    const text = await response.text();
    expect(response.headers.get('content-type')).toContain('version=0.0.4');
    expect(text).toContain('kollect_exports_total{sink_type="memory",outcome="applied"} 1');
    expect(text).toContain('kollect_sink_breakers{sink_type="memory",state="closed"} 1');
    expect(text).toContain('kollect_sink_inventories{sink_type="memory"} 1');
    expect(text).toContain('kollect_exports_owed{sink_type="memory"} 0');
    expect(log.mock.calls).toEqual([]);
  } finally {
    for (const listener of process.listeners('SIGTERM'))
      if (!before.includes(listener)) process.removeListener('SIGTERM', listener);
    await shutdown();
    log.mockRestore();
    delete process.env['METRICS_PORT'];
  }
  expect(server.listening).toBe(false);
});
