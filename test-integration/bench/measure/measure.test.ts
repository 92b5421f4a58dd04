import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { createCountingRelay } from './counting-relay.ts';
import { markdownTable } from './markdown-table.ts';
import { median, rotate } from './statistics.ts';
import { longestStall, timed } from './time.ts';

test.each([
  { values: [3, 1, 2], expected: 2 },
  { values: [4, 1, 3, 2], expected: 2.5 },
  { values: [7], expected: 7 },
  { values: [], expected: Number.NaN },
])('the median of $values is $expected', ({ values, expected }) => {
  expect(median(values)).toBe(expected);
});

test.each([
  { by: 0, expected: ['a', 'b', 'c'] },
  { by: 2, expected: ['c', 'a', 'b'] },
  { by: 4, expected: ['b', 'c', 'a'] },
])('a list turned by $by', ({ by, expected }) => {
  expect(rotate(['a', 'b', 'c'], by)).toEqual(expected);
});

test('a table lines its columns up', () => {
  const table = markdownTable(
    ['what', 'ms'],
    [
      ['one', '1'],
      ['two', '1,000'],
    ],
    1,
  );
  expect(table.split('\n')).toEqual(['| what |    ms |', '| ---- | ----: |', '| one  |     1 |', '| two  | 1,000 |']);
});

test('time is told with the answer', async () => {
  const { ms, value } = await timed(() => 'done');
  expect(value).toBe('done');
  expect(ms).toBeGreaterThanOrEqual(0);
});

test('work that holds the event loop is seen, however it begins and ends', async () => {
  const stall = await longestStall(async () => {
    const end = performance.now() + 80;
    while (performance.now() < end);
  });
  expect(stall).toBeGreaterThan(70);
});

test('a relay passes both ways, and counts what the client sends', async () => {
  const server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const relay = await createCountingRelay({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  const client = connect(relay.port, '127.0.0.1');
  client.write('twelve bytes');
  const [answer] = (await once(client, 'data')) as [Buffer];
  expect(answer.toString()).toBe('twelve bytes');
  expect(relay.sentBytes()).toBe(12);
  const closed = once(client, 'close');
  await relay.close();
  await closed;
  server.close();
  await once(server, 'close');
});
