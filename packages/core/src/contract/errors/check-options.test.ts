import { expect, test } from '@jest/globals';
import {
  aBoolean,
  aCount,
  aSignal,
  aText,
  checkOptions,
  either,
  listOf,
  required,
  type OptionKinds,
} from './check-options.ts';

interface Options {
  readonly name: string;
  readonly ranges?: readonly string[];
  readonly signal?: AbortSignal;
  readonly strict?: boolean;
  readonly size?: number | string;
}

const kinds: OptionKinds<Options> = {
  name: required(aText),
  ranges: listOf(aText),
  signal: aSignal,
  strict: aBoolean,
  size: either(aCount, aText),
};
const check = (given: unknown) => checkOptions<Options>(given as Options, kinds, { of: 'The options of make' });

test('options are copied, and what is undefined is left out', () => {
  const given = { name: 'a', ranges: ['x'], strict: undefined, size: 5 };
  const read = check(given);
  expect(read).toEqual({ name: 'a', ranges: ['x'], size: 5 });
  expect(read).not.toBe(given);
  expect('strict' in read).toBe(false);
});

const throwing = {
  get name(): string {
    throw new Error('geheim');
  },
};
const { proxy: revoked, revoke } = Proxy.revocable({}, {});
revoke();

test.each(
  [
    [undefined, 'The options of make: name is missing; expected printable text.'],
    [null, 'The options of make must be an object with name, ranges, signal, strict, size, found null.'],
    ['geheim', 'The options of make must be an object with name, ranges, signal, strict, size, found a string.'],
    [5, 'The options of make must be an object with name, ranges, signal, strict, size, found a number.'],
    [['a'], 'The options of make must be an object with name, ranges, signal, strict, size, found an array of 1.'],
    [
      new Map([['name', 'a']]),
      'The options of make must be an object with name, ranges, signal, strict, size, found a collection such as a Map.',
    ],
    [{ name: 'a', range: [] }, 'The options of make: "range" is not known; did you mean "ranges"?'],
    [
      { name: 'a', zzzzzzz: 1 },
      'The options of make: "zzzzzzz" is not known; known: name, ranges, signal, strict, size.',
    ],
    [{ name: 'a\nb' }, String.raw`The options of make: name must be printable text, found the string "a\nb".`],
    [
      { name: 'a', ranges: '10.0.0.0/8' },
      'The options of make: ranges must be a list, each of its elements printable text, found the string "10.0.0.0/8".',
    ],
    [
      { name: 'a', ranges: [5] },
      'The options of make: ranges must be a list, each of its elements printable text, found an array of 1.',
    ],
    [{ name: 'a', signal: {} }, 'The options of make: signal must be an AbortSignal, found an object.'],
    [{ name: 'a', strict: 'yes' }, 'The options of make: strict must be true or false, found the string "yes".'],
    [
      { name: 'a', size: -1 },
      'The options of make: size must be a whole number, 0 or more or printable text, found the number -1.',
    ],
    [throwing, 'The options of make: name cannot be read: give the value itself.'],
    [revoked, 'The options of make cannot be read: give a plain object.'],
  ].map(([given, message]) => ({ given, message })),
)('$message', ({ given, message }) => {
  expect(() => check(given)).toThrow(expect.objectContaining({ code: 'SPEC_INVALID', message }));
});
