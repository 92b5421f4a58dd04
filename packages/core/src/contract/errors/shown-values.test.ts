import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

const packages = new URL('../../../../', import.meta.url);
const files = readdirSync(packages, { recursive: true, encoding: 'utf8' })
  .filter((file) => /^[\w-]+\/src\/.*\.ts$/u.test(file) && !/\.(?:test|fixture)\.ts$/u.test(file))
  // What the conformance suite says is about stores of a test.
  .filter((file) => !file.startsWith('sink-testkit/'));

/** Words of our own code and of sink types, no values of users. */
const ownWords =
  /^(?:type|(?:\w+\.)*sinkType|field|nearest|hint|privilege|operation|documentSchemaVersion|name\.replaceAll)/u;

test.each(files)('%s quotes a value in a text through showText alone', (file) => {
  const source = readFileSync(new URL(file, packages), 'utf8');
  const quoted = [...source.matchAll(/"\$\{([^}]*)\}?/gu)].map(([, expression = '']) => expression);
  expect(quoted.filter((expression) => !ownWords.test(expression))).toEqual([]);
  // A whole value as JSON inside of a longer text is a message, except for keys of maps and documents.
  const spelledOut = [...source.matchAll(/\$\{JSON\.stringify\(([^)]*)\)/gu)].map(([, expression = '']) => expression);
  expect(spelledOut.filter((expression) => !/^(?:fields|schema\.description)$/u.test(expression))).toEqual([]);
});
