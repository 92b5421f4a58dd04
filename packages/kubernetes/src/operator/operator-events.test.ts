import { afterEach, expect, test } from '@jest/globals';
import { applySample, createWorld, faultySink, memorySpec, type World } from './operator.fixture.ts';

const worlds: World[] = [];
const world = (...options: Parameters<typeof createWorld>): World => {
  const one = createWorld(...options);
  worlds.push(one);
  return one;
};
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((each) => each.close()));
});

const eventsOf = ({ api }: World): readonly string[] =>
  api.readAll('Event').map((event) => {
    const { kind, name } = event['involvedObject'] as { kind: string; name: string };
    return `${String(event['type'])} ${kind} ${name} ${String(event['reason'])} ${String(event['message'])}`;
  });

test('what begins to fail and what works again is told as Events, in constant words, and not each time', async () => {
  const faulty = faultySink();
  const one = world({ wrap: faulty.wrap });
  applySample(one);
  one.start();
  await one.until('synced', () => one.condition('KollectSink', 'store', 'Synced') === 'True Delivered');
  expect(eventsOf(one)).toEqual([]);
  for (let round = 0; round < 5; round++) {
    faulty.down = true;
    one.put('KollectSink', 'store', {
      spec: { ...memorySpec.spec, delivery: { closeTimeout: `${String(round + 1)}s` } },
    });
    await one.until('failed', () => one.condition('KollectSink', 'store', 'Synced') === 'False Unavailable');
    faulty.down = false;
    await one.until('synced', () => one.condition('KollectSink', 'store', 'Synced') === 'True Delivered', 3_600_000);
  }
  const all = eventsOf(one);
  expect(all).toContain(
    'Warning KollectSink store Unavailable Degraded=True: The host cannot be reached, or the operator does not allow it.',
  );
  expect(all).toContain('Normal KollectSink store Delivered Synced=True: The store holds what was collected last.');
  expect(JSON.stringify(one.api.readAll('Event'))).not.toContain('row data');
  expect(all.length).toBeLessThanOrEqual(30);
});

test('many that fail at once do not flood the API server, and Events that cannot be written are missed by nobody', async () => {
  const one = world();
  for (let index = 0; index < 200; index++) one.put('KollectSink', `s${String(index)}`, { spec: { type: 'oracle' } });
  const refused = one.api.fail({ kind: 'status', status: 403, reason: 'Forbidden' }, { plural: 'events', times: 5 });
  one.start();
  await one.until('all told', () => one.condition('KollectSink', 's199', 'Ready') === 'False TypeNotAllowed');
  refused();
  expect(one.api.calls({ plural: 'events' }).length).toBeLessThanOrEqual(30);
  expect(one.api.readAll('Event').length).toBeGreaterThan(10);
});
