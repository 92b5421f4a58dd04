/** A stream of numbers that depends on its seed alone (mulberry32), so that a failing run can be repeated. */
export interface Random {
  /** A number from 0 up to, not including, 1. */
  next(): number;
  /** A whole number from 0 up to, not including, `bound`. */
  below(bound: number): number;
  /** One of the choices, which must not be empty. */
  pick<T>(choices: readonly [T, ...T[]]): T;
  /** `count` different whole numbers below `bound`, in random order. */
  sample(count: number, bound: number): number[];
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (bound: number): number => Math.floor(next() * bound);
  return {
    next,
    below,
    pick: (choices) => choices[below(choices.length)] ?? choices[0],
    sample: (count, bound) => {
      const deck = Array.from({ length: bound }, (_, index) => index);
      const drawn: number[] = [];
      while (drawn.length < count && deck.length > 0) {
        const at = below(deck.length);
        const last = deck.pop() ?? 0;
        drawn.push(at === deck.length ? last : (deck[at] ?? 0));
        if (at < deck.length) deck[at] = last;
      }
      return drawn;
    },
  };
}
