import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createSinkWatch, type SinkWatch } from './sink-watch.ts';

let watch: SinkWatch;

beforeEach(() => {
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  watch = createSinkWatch([]);
});

afterEach(() => {
  watch.stop();
  jest.restoreAllMocks();
});

describe('what is printed', () => {
  test.each([
    ['to the console', async () => console.warn('secret')],
    ['to stdout', async () => process.stdout.write('')],
    ['later', async () => new Promise<boolean>((resolve) => setTimeout(() => resolve(process.stderr.write('')), 5))],
  ])('%s in a call is found, and not shown', async (_, print) => {
    await watch.run<Promise<unknown>>(print);
    expect(() => watch.expectNothing()).toThrow(/printed something/);
    expect(() => watch.expectNothing()).not.toThrow(/secret/);
  });

  test('by somebody else is not the sink', async () => {
    const call = watch.run(async () => new Promise((resolve) => setTimeout(resolve, 20)));
    console.warn('somebody else');
    await call;
    watch.expectNothing();
  });
});

test('everything is as it was once nobody watches', () => {
  const patched = [console.warn, process.stdout.write];
  const other = createSinkWatch([]);
  watch.stop();
  expect([console.warn, process.stdout.write]).toEqual(patched);
  other.stop();
  expect(console.warn).not.toBe(patched[0]);
  expect(process.stdout.write).not.toBe(patched[1]);
});
