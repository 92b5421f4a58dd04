import { parseArgs } from 'node:util';
import type { FuzzSuite } from './fuzz-suites.ts';

export const usage = `usage: pnpm run fuzz [--minutes 10] [--seed <number>] [--only <suite>,<suite>]
  --minutes   of all suites together; each has a share
  --seed      what a failure printed; default by chance
  --only      suites to run; default all`;

export interface FuzzOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly suites: readonly FuzzSuite[];
}

/** Reads the command line; throws what is wrong with it, and how it is used. */
export function readFuzzOptions(
  args: readonly string[],
  known: readonly FuzzSuite[],
  random: () => number = Math.random,
): FuzzOptions {
  const refuse = (problem: string): Error => new Error(`${problem}\n${usage}`);
  const read = () => {
    try {
      return parseArgs({
        args: [...args],
        options: { minutes: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } },
      }).values;
    } catch (error) {
      throw refuse(error instanceof Error ? error.message : String(error));
    }
  };
  const given = read();

  const minutes = Number(given.minutes ?? '10');
  if (!(minutes > 0 && minutes <= 24 * 60))
    throw refuse(`--minutes expects a number above 0 and at most 1440, found "${String(given.minutes)}".`);

  const seed = given.seed === undefined ? Math.floor(random() * 2 ** 31) : Number(given.seed);
  if (!Number.isSafeInteger(seed) || seed < 0 || given.seed?.trim() === '')
    throw refuse(`--seed expects a whole number from 0 on, found "${String(given.seed)}".`);

  const names = given.only?.split(',') ?? known.map(({ name }) => name);
  const suites = names.map((name) => {
    const suite = known.find((one) => one.name === name);
    if (suite === undefined) throw refuse(`--only knows ${known.map((one) => one.name).join(', ')}, found "${name}".`);
    return suite;
  });
  return { minutes, seed, suites: [...new Set(suites)] };
}

/** Minutes that every fuzzing test of the suites has, so that together they take what was asked for. */
export function minutesEach({ minutes, suites }: Pick<FuzzOptions, 'minutes' | 'suites'>): number {
  return minutes / suites.reduce((sum, { tests }) => sum + tests, 0);
}

/** What to type to have the same again. */
export function commandFor({ minutes, seed }: Pick<FuzzOptions, 'minutes' | 'seed'>, suite: string): string {
  return `pnpm run fuzz --seed ${seed} --only ${suite} --minutes ${minutes}`;
}
