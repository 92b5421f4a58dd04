import fc from 'fast-check';

/** A number from 0 to below the limit. */
export type Random = (limit: number) => number;

type Env = Readonly<Record<string, string | undefined>>;

const seedOf = (env: Env): number => Number(env['KOLLECT_FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const millisecondsOf = (env: Env): number => Number(env['KOLLECT_FUZZ_MINUTES'] ?? 0) * 60_000;

/**
 * Runs something with random numbers, round after round; a failure says with which seed it comes again. KOLLECT_FUZZ_SEED gives the seed, and
 * KOLLECT_FUZZ_MINUTES how long it goes on after the rounds that every test run has.
 */
export async function fuzz(
  rounds: number,
  run: (random: Random, round: number) => void | Promise<void>,
  env: Env = process.env,
): Promise<void> {
  const first = seedOf(env);
  const end = performance.now() + millisecondsOf(env);
  for (let round = 0; round < rounds || performance.now() < end; round++) {
    const seed = first + round;
    try {
      await run(randomOf(seed), round);
    } catch (error) {
      throw new Error(`Failed with KOLLECT_FUZZ_SEED=${seed}: ${String(error)}`, { cause: error });
    }
  }
}

/** The same for a property of fast-check, which prints the seed; `parts` is how many of them share the minutes. */
export async function fuzzProperty<Values>(
  property: fc.IRawProperty<Values>,
  rounds: number,
  { parts = 1, env = process.env }: { readonly parts?: number; readonly env?: Env } = {},
): Promise<void> {
  const end = performance.now() + millisecondsOf(env) / parts;
  let seed = seedOf(env);
  // One batch after the other: fast-check's own time limit lets go of a run that is on its way.
  do await fc.assert(property, { seed: seed++, numRuns: rounds });
  while (performance.now() < end);
}

/** Test limit of a fuzzing run in milliseconds. */
export const fuzzTimeoutMs = 30_000 + (millisecondsOf(process.env) * 7) / 6;

/** mulberry32. */
function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

const lies = [
  '0',
  '-1',
  '1e8',
  '9007199254740991',
  '1e999',
  '2147483648',
  'null',
  '[]',
  '"',
  '{}',
  '\\ud800',
  '\u00fc',
];

/** The bytes flipped, cut, repeated, swapped, or with a number in them that lies; one to four times. */
export function damage(bytes: Uint8Array, random: Random): Buffer {
  let damaged: Buffer = Buffer.from(bytes);
  for (let times = random(4); times >= 0; times--) damaged = damageOnce(damaged, random);
  return damaged;
}

function damageOnce(bytes: Buffer, random: Random): Buffer {
  const at = random(bytes.length + 1);
  const end = Math.min(bytes.length, at + 1 + random(random(2) === 0 ? 8 : 400));
  switch (random(6)) {
    case 0: {
      const flipped = Buffer.from(bytes);
      if (at < flipped.length) flipped[at] = (flipped[at] ?? 0) ^ (1 << random(8));
      return flipped;
    }
    case 1:
      return bytes.subarray(0, at);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
    case 3:
      return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at, end), bytes.subarray(end)]);
    case 4: {
      const to = random(bytes.length + 1);
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(at, end), bytes.subarray(to)]);
    }
    default:
      return lie(bytes, at, random);
  }
}

/** The next number of the text becomes another one. */
function lie(bytes: Buffer, from: number, random: Random): Buffer {
  const text = bytes.toString('latin1');
  const found = /\d+/.exec(text.slice(from));
  const start = found === null ? from : from + found.index;
  const end = start + (found?.[0].length ?? 0);
  return Buffer.concat([bytes.subarray(0, start), Buffer.from(lies[random(lies.length)] ?? ''), bytes.subarray(end)]);
}
