import { describe, expect, test } from '@jest/globals';
import { parseManifests } from './parse-manifests.ts';

const names = (text: string): string[] =>
  parseManifests(text, 'a.yaml').map(({ apiVersion, kind, metadata }) => `${apiVersion} ${kind} ${metadata.name}`);

describe('objects are found in', () => {
  const pod = 'apiVersion: v1\nkind: Pod\nmetadata: { name: a }\n';
  test.each([
    ['several documents, empty ones between them', `---\n${pod}---\n# nothing\n---\n${pod}`, ['v1 Pod a', 'v1 Pod a']],
    ['nothing', '', []],
    [
      'a List',
      '{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}]}',
      ['v1 Pod a'],
    ],
    [
      'a typed list, whose items do not say what they are',
      '{"apiVersion":"apps/v1","kind":"DeploymentList","items":[{"metadata":{"name":"a"}}]}',
      ['apps/v1 Deployment a'],
    ],
    ['an empty list', 'apiVersion: v1\nkind: List\nitems: []\n', []],
    ['a JSON array', '[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}]', ['v1 Pod a']],
    ['YAML that begins as JSON does', `{apiVersion: v1, kind: Pod, metadata: {name: a}}`, ['v1 Pod a']],
    [
      'a custom resource whose kind ends in List',
      'apiVersion: x.io/v1\nkind: AllowList\nmetadata: { name: a }\n',
      ['x.io/v1 AllowList a'],
    ],
  ])('%s', (_, text, expected) => {
    expect(names(text)).toEqual(expected);
  });
});

describe('what is wrong is said with its file and line', () => {
  test.each([
    ['broken YAML', 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n   bad: y\n', /^a\.yaml:4:9: Nested mappings/u],
    ['a key given twice', 'apiVersion: v1\nkind: Pod\nkind: Job\n', /^a\.yaml:3:1: Map keys must be unique/u],
    ['broken JSON', '{"apiVersion": "v1",\n "kind": }', /^a\.yaml:\d:/u],
    ['no kind', 'apiVersion: v1\nmetadata:\n  name: x\n', /^a\.yaml:1: the object "x" has no kind\. Add it/u],
    [
      'no kind in a second document',
      'apiVersion: v1\nkind: A\nmetadata: { name: a }\n---\n# b\napiVersion: v1\nmetadata: { name: b }\n',
      /^a\.yaml:6: the object "b" has no kind/u,
    ],
    [
      'no name in an item of a list',
      'apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: Pod\n    metadata: {}\n',
      /^a\.yaml:4: the Pod has no metadata\.name/u,
    ],
    ['no apiVersion in JSON', '{"kind":"Pod","metadata":{"name":"x"}}', /^a\.yaml: the Pod has no apiVersion/u],
    ['a text', 'hello', /^a\.yaml:1: expected a Kubernetes object, found a string/u],
  ])('%s', (_, text, message) => {
    let problem = '';
    try {
      parseManifests(text, 'a.yaml');
    } catch (error) {
      problem = (error as Error).message;
    }
    expect(problem).toMatch(message);
    expect(problem).not.toContain('\n');
  });
});
