import { expect, test } from '@jest/globals';
import { createOperations } from '../operations/operations.ts';
import { eventSinkOver, fakeChannel, headless } from './event-channel.fixture.ts';
import { createEventSink, type EventSinkOptions } from './event-sink.ts';
import { document, items, scope, seal } from './events.fixture.ts';

const { signal } = new AbortController();
const at = (second: number): string => new Date(Date.UTC(2026, 0, 31, 12, 0, second)).toISOString();
const snapshotAt = (second: number, text = 'x', count = 1, incompleteTargets: readonly string[] = []) =>
  seal({ exportedAt: at(second), items: items(count, text), incompleteTargets });
const none = { inserted: 0, updated: 0, deleted: 0, unchanged: 0 };

test('a snapshot is sent, and what was sent is not asked for again', async () => {
  const channel = fakeChannel();
  const sink = eventSinkOver(channel);
  const snapshot = await snapshotAt(1, 'x', 3);
  const { bytes, ...result } = await sink.export(snapshot, { signal });
  expect(result).toEqual({ outcome: 'applied', counts: { ...none, inserted: 3 }, messages: 3, reference: 'log/3' });
  expect(bytes).toBeGreaterThan(snapshot.itemsByteLength);
  expect(channel.logOf(scope).map(({ whole }) => whole)).toEqual([false, false, true]);
  expect((await sink.export(await snapshotAt(2, 'y'), { signal })).outcome).toBe('applied');
  expect(channel.calls).toEqual(['head', 'send', 'send']);
});

test('what the last event says already is not sent again, by whichever process; before that it is asked once more', async () => {
  const channel = fakeChannel();
  const sink = eventSinkOver(channel);
  await sink.export(await snapshotAt(1), { signal });
  for (const each of [sink, eventSinkOver(channel)]) {
    const unchanged = { outcome: 'unchanged', counts: { ...none, unchanged: 1 }, messages: 0, bytes: 0 };
    expect(await each.plan?.(await snapshotAt(2), { signal })).toMatchObject({ outcome: 'unchanged' });
    expect(await each.export(await snapshotAt(2), { signal })).toEqual(unchanged);
  }
  // Somebody else wrote since: the sink that remembers its own event must not take that for the last.
  await eventSinkOver(channel).export(await snapshotAt(3, 'y'), { signal });
  expect((await sink.export(await snapshotAt(4), { signal })).outcome).toBe('applied');
  expect(channel.logOf(scope).map(({ time }) => time)).toEqual([1, 3, 4].map((second) => Date.parse(at(second))));
});

test('a time at which nothing had changed fences this process, too', async () => {
  const sink = eventSinkOver(fakeChannel());
  await sink.export(await snapshotAt(1), { signal });
  await sink.export(await snapshotAt(5), { signal });
  expect((await sink.export(await snapshotAt(3, 'y'), { signal })).outcome).toBe('superseded');
});

test('of partial snapshots each is sent, once, and says that it is one', async () => {
  const channel = fakeChannel();
  const sink = eventSinkOver(channel);
  const outcomes: string[] = [];
  for (const [second, incomplete] of [[1], [2, 'pods'], [2, 'pods'], [3, 'pods'], [4]] as [number, string?][])
    outcomes.push(
      (await sink.export(await snapshotAt(second, 'x', 1, incomplete === undefined ? [] : [incomplete]), { signal }))
        .outcome,
    );
  expect(outcomes).toEqual(['applied', 'applied', 'unchanged', 'applied', 'applied']);
  expect(channel.logOf(scope).map(({ complete }) => complete)).toEqual([true, false, false, true]);
});

test('a lost race is decided anew: by what won it, nothing is sent after a newer one', async () => {
  const channel = fakeChannel();
  const sink = eventSinkOver(channel);
  await sink.export(await snapshotAt(1), { signal });
  let races = 0;
  channel.onSend = async () => {
    channel.onSend = () => undefined;
    races += 1;
    await eventSinkOver(channel).export(await snapshotAt(races === 1 ? 9 : 10, 'won'), { signal });
  };
  expect((await sink.export(await snapshotAt(5, 'y'), { signal })).outcome).toBe('superseded');
  expect(channel.logOf(scope).map(({ time }) => time)).toEqual([1, 9].map((second) => Date.parse(at(second))));
});

test('whoever loses every race is told to come again', async () => {
  const channel = fakeChannel();
  let second = 0;
  const others = eventSinkOver({ ...channel });
  let isOther = false;
  channel.onSend = async () => {
    if (isOther) return;
    isOther = true;
    await others.export(await snapshotAt((second += 1), String(second)), { signal });
    isOther = false;
  };
  await expect(eventSinkOver(channel).export(await snapshotAt(3_000, 'y'), { signal })).rejects.toMatchObject({
    code: 'OVERLOADED',
    message: expect.stringContaining('prod-eu-1:team/all changed 20 times'),
  });
});

test('what a receiver takes for repeated is sent anew with the number of conflicts, where it is not at the head', async () => {
  const channel = fakeChannel();
  const told: number[] = [];
  channel.onSend = (_, { conflicts }) => void told.push(conflicts);
  channel.fault = 'repeated';
  expect((await eventSinkOver(channel).export(await snapshotAt(1), { signal })).outcome).toBe('applied');
  expect(told).toEqual([0, 1]);
});

test.each([
  ['after', ['unchanged', 1]],
  ['before', ['applied', 1]],
  ['torn', ['applied', 4]],
] as const)('an answer that is lost %s is made out by the next attempt', async (fault, expected) => {
  const channel = fakeChannel();
  const sink = eventSinkOver(channel);
  const snapshot = await snapshotAt(1, 'x', fault === 'torn' ? 3 : 1);
  channel.fault = fault;
  await expect(sink.export(snapshot, { signal })).rejects.toThrow();
  const { outcome } = await sink.export(snapshot, { signal });
  expect([outcome, channel.logOf(scope).length]).toEqual(expected);
});

test('a removal is an event, fenced as a snapshot is', async () => {
  const channel = fakeChannel();
  const sink = eventSinkOver(channel);
  const remove = async (second: number) =>
    (await sink.removeInventory(scope, { removedAt: at(second), signal })).outcome;
  expect(await remove(1)).toBe('unchanged');
  await sink.export(await snapshotAt(5), { signal });
  expect([await remove(4), await remove(6), await remove(6), await remove(3), await remove(8)]).toEqual([
    'superseded',
    'applied',
    'unchanged',
    'unchanged',
    'unchanged',
  ]);
  expect((await sink.export(await snapshotAt(7), { signal })).outcome).toBe('superseded');
  expect((await sink.export(await snapshotAt(9), { signal })).outcome).toBe('applied');
  expect(channel.logOf(scope).map(({ removed }) => removed)).toEqual([true, false, true, true, false]);
});

test('where nobody can be asked, this process knows what it sent, and there is no plan', async () => {
  const channel = fakeChannel();
  const sink = eventSinkOver(headless(channel));
  expect(sink.plan).toBeUndefined();
  const outcomes = [];
  for (const second of [1, 1, 3, 2]) outcomes.push((await sink.export(await snapshotAt(second), { signal })).outcome);
  for (const removedAt of [at(1), at(4), at(2)])
    outcomes.push((await sink.removeInventory(scope, { removedAt, signal })).outcome);
  expect(outcomes).toEqual(['applied', 'applied', 'applied', 'superseded', 'superseded', 'applied', 'unchanged']);
  expect(channel.calls).not.toContain('head');
});

test('what waits for its turn is told that a newer one was sent meanwhile, also where nobody waits for that one any more', async () => {
  const caller = new AbortController();
  let arrived = (): void => undefined;
  const newerArrives = new Promise<void>((resolve) => (arrived = resolve));
  const sent: string[] = [];
  const sink = eventSinkOver({
    send: async ({ messages }, { after, isCurrent, onSent, operation }) => {
      expect(after).toBeUndefined();
      const [message] = messages().messages();
      const time = message?.headers['kollect.dev/exported-at'] ?? '';
      if (time === at(2)) {
        caller.abort();
        onSent();
        arrived();
        operation.throwIfEnded();
      }
      await newerArrives;
      if (!isCurrent()) return { outcome: 'conflict' };
      sent.push(time);
      return { outcome: 'sent' };
    },
  });
  const older = sink.export(await snapshotAt(1), { signal });
  const newer = sink.export(await snapshotAt(2), { signal: caller.signal });
  await expect(newer).rejects.toMatchObject({ code: 'ABORTED' });
  expect([(await older).outcome, sent]).toEqual(['superseded', []]);
});

test('an id is that of content and time, and tells places apart', async () => {
  const ids: string[] = [];
  const channel = fakeChannel();
  channel.onSend = (event) => void ids.push(event.id(), event.id('elsewhere'));
  for (const snapshot of [await snapshotAt(1), await snapshotAt(2, 'y')])
    await eventSinkOver(channel).export(snapshot, { signal });
  const other = fakeChannel();
  other.onSend = (event) => void ids.push(event.id());
  await eventSinkOver(other).export(await snapshotAt(1), { signal });
  expect([new Set(ids).size, ids[4]]).toEqual([4, ids[0]]);
});

test('an operation that was ended between two rounds sends nothing more', async () => {
  const channel = fakeChannel();
  const caller = new AbortController();
  channel.fault = 'repeated';
  channel.onSend = () => caller.abort();
  await expect(eventSinkOver(channel).export(await snapshotAt(1), { signal: caller.signal })).rejects.toMatchObject({
    code: 'ABORTED',
  });
  expect(channel.calls).toEqual(['head', 'send']);
});

test('times of tomorrow are refused', async () => {
  const sink = eventSinkOver(fakeChannel());
  const exportedAt = new Date(Date.now() + 3_600_000).toISOString();
  const refused = { code: 'SNAPSHOT_INVALID' };
  await expect(sink.export(await seal({ exportedAt }), { signal })).rejects.toMatchObject(refused);
  await expect(sink.plan?.(await seal({ exportedAt }), { signal })).rejects.toMatchObject(refused);
  await expect(sink.removeInventory(scope, { removedAt: exportedAt, signal })).rejects.toMatchObject(refused);
});

test.each([
  [{ chanel: 1 }, /"chanel" is not known; did you mean "channel"/u],
  [{ channel: {} }, /channel must be an object with the functions send/u],
  [{ where: '' }, /where must be text that is not empty/u],
])('options that cannot be used are refused: %j', (wrong, message) => {
  const good: EventSinkOptions = {
    operations: createOperations({ sinkType: 'fake', name: 'portal' }),
    channel: fakeChannel(),
    message: document,
    where: 'the log',
  };
  expect(() => createEventSink({ ...good, ...wrong } as EventSinkOptions)).toThrow(message);
});
