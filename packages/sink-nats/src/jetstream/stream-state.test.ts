import { expect, test } from '@jest/globals';
import { natsSink } from '../nats-sink.ts';
import { covers, isAtLeast, streamProblems } from './stream-state.ts';

test.each([
  ['p.>', 'p.*.*.*', true],
  ['>', 'p.*.*.*', true],
  ['p.*.*.*', 'p.*.*.*', true],
  ['*.*.*.*', 'p.*.*.*', true],
  ['p.*.*', 'p.*.*.*', false],
  ['p.*.*.*.*', 'p.*.*.*', false],
  ['p.prod.>', 'p.*.*.*', false],
  ['q.>', 'p.*.*.*', false],
  ['p.*.*.*.>', 'p.*.*.*', false],
])('%s covers %s: %s', (subject, wanted, answer) => {
  expect(covers(subject, wanted)).toBe(answer);
});

test.each([
  ['2.12.0', true],
  ['2.15.3-RC.1', true],
  ['3.0.0', true],
  ['2.11.9', false],
  ['0', false],
])('%s is 2.12 or newer: %s', (version, answer) => {
  expect(isAtLeast(version, [2, 12])).toBe(answer);
});

test('all that is wrong with a stream is named at once', () => {
  const spec = natsSink.parseSpec({
    servers: ['a'],
    stream: 's',
    subjectPrefix: 'p',
    retain: 'latest',
    minReplicas: 3,
  });
  const config = { subjects: ['q.>'], retention: 'workqueue', sealed: true, no_ack: true, num_replicas: 1, mirror: {} };
  expect(streamProblems(spec, config)).toEqual([
    'it is a mirror, which takes no messages',
    'none of its subjects takes all of "p.*.*.*", as "p.>" would',
    'its retention is not limits, so that what was read is deleted and the fence with it',
    'it is sealed',
    'no_ack is set, so that it acknowledges nothing',
    'allow_rollup_hdrs is off, which retain latest needs',
    'it has 1 replica, and spec.nats.minReplicas is 3',
  ]);
  expect(
    streamProblems(spec, { subjects: ['p.>'], retention: 'limits', num_replicas: 3, allow_rollup_hdrs: true }),
  ).toEqual([]);
  expect(streamProblems(spec, {})).toContain('none of its subjects takes all of "p.*.*.*", as "p.>" would');
});
