import { describe, expect, test } from '@jest/globals';
import { parseFieldPath, readFieldPath } from './field-path.ts';

const pod = {
  metadata: { labels: { 'app.kubernetes.io/name': 'shop', 'quo"te': 'q', '': 'empty' } },
  spec: {
    replicas: 0,
    paused: false,
    nodeName: null,
    containers: [
      { image: 'web:1', ports: [{ port: 80 }, { port: 443 }] },
      { name: 'no-image', ports: [] },
      { image: 'log:2' },
    ],
    volumes: [],
  },
  'names.with dots': [['a', 'b'], ['c']],
};

describe('a field path finds', () => {
  test.each([
    ['.spec.replicas', 0],
    ['spec.replicas', 0],
    ['.spec.paused', false],
    ['.spec.nodeName', null],
    ['metadata.labels["app.kubernetes.io/name"]', 'shop'],
    ["metadata.labels['app.kubernetes.io/name']", 'shop'],
    ['.metadata.labels.app\\.kubernetes\\.io/name', 'shop'],
    ['["metadata"].labels["quo\\"te"]', 'q'],
    ['.metadata.labels[""]', 'empty'],
    ['.spec.containers[0].image', 'web:1'],
    ['.spec.containers[*].image', ['web:1', 'log:2']],
    ['.spec.containers[*].ports[*].port', [80, 443]],
    ['.spec.containers[*].ports', [[{ port: 80 }, { port: 443 }], []]],
    ['.metadata.labels.*', ['shop', 'q', 'empty']],
    ['["names.with dots"][*]', [['a', 'b'], ['c']]],
    ['["names.with dots"][*][0]', ['a', 'c']],
    ['.spec.volumes[*].name', []],
    ['.spec.volumes', []],
    ['.spec.missing', undefined],
    ['.spec.missing[*].image', undefined],
    ['.spec.containers[9]', undefined],
    ['.spec.containers.length', undefined],
    ['.spec.replicas.digits', undefined],
    ['.metadata.labels[0]', undefined],
    ['.spec.nodeName.x', undefined],
    ['.__proto__', undefined],
    ['.constructor.name', undefined],
  ])('%s', (path, expected) => {
    expect(readFieldPath(pod, parseFieldPath(path))).toEqual(expected);
  });

  test('an own field that is called __proto__', () => {
    expect(readFieldPath(JSON.parse('{"__proto__": {"a": 1}}'), parseFieldPath('.__proto__.a'))).toBe(1);
  });

  test('an element of a root that is an array', () => {
    expect(readFieldPath(['a', 'b'], parseFieldPath('[1]'))).toBe('b');
  });
});

describe('a field path that cannot be read points at the character', () => {
  test.each([
    ['', 1, 'expected a field name'],
    ['.', 2, 'expected a field name'],
    ['.spec..replicas', 7, 'expected a field name'],
    ['.spec.', 7, 'expected a field name'],
    ['.spec[', 7, 'expected [*], [0] or ["a name"]'],
    ['.spec[-1]', 7, 'expected [*], [0] or ["a name"]'],
    ['.spec["a]', 7, 'expected [*], [0] or ["a name"]'],
    ['.spec[0]x', 9, 'expected "." or "["'],
    ['.spec replicas', 6, 'expected "." or "["'],
    ['.conditions[?(@.type=="Ready")]', 13, 'give attributes as a function'],
    ['{.spec.replicas}', 1, 'leave out "{", "}" and "$"'],
    ['$.spec', 1, 'leave out "{", "}" and "$"'],
  ])('%j', (path, character, expected) => {
    let message = '';
    try {
      parseFieldPath(path);
    } catch (error) {
      message = (error as Error).message;
    }
    const after = character === 1 ? '' : `, after ${JSON.stringify(path.slice(0, character - 1))}`;
    expect(message).toContain(`Field path ${JSON.stringify(path)} cannot be read at character ${character}${after}: `);
    expect(message).toContain(expected);
  });
});
