import { isShownWhole, showText } from '../errors/show-value.ts';

/** Why a value has no canonical form. Holds where and what kind, never the value. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  /** Keys and indexes from the written value to the refused one. */
  readonly path: readonly (string | number)[];
  /** Continues `<path> …`. */
  readonly problem: string;
  readonly remedy: string;
  /** True where sealing with `sanitize` replaces the value instead. */
  readonly sanitizable: boolean;

  constructor({
    path,
    problem,
    remedy,
    sanitizable = false,
  }: Pick<Refusal, 'path' | 'problem' | 'remedy'> & { sanitizable?: boolean }) {
    super(`${formatPath(path)} ${problem}: ${remedy}.`);
    this.path = path;
    this.problem = problem;
    this.remedy = remedy;
    this.sanitizable = sanitizable;
  }
}

/** The refusal of a value that holds itself. */
export function cycleRefusal(path: Refusal['path']): Refusal {
  return new Refusal({ path, problem: 'leads back to an object that holds it', remedy: 'break the cycle' });
}

/** The refusal of a value as deep as no value may be, by the objects and arrays on the way to it: one of them holds itself, or there are too many. */
export function depthRefusal(path: Refusal['path'], chain: readonly object[]): Refusal {
  const seen = new Set<object>();
  for (const [at, each] of chain.entries()) {
    if (seen.has(each)) return cycleRefusal(path.slice(0, at + 1));
    seen.add(each);
  }
  return new Refusal({
    path: path.slice(0, 8),
    problem: `leads to more than ${chain.length - 1} nested objects and arrays`,
    remedy: 'flatten it, or give the inner part as a string',
  });
}

/** `attributes.spec["a.b"][3]`, with what cannot be printed escaped and what is long cut. */
export function formatPath(path: readonly (string | number)[]): string {
  let text = '';
  for (const [index, step] of path.entries()) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[A-Za-z_$][\w$-]{0,79}$/.test(step) && isShownWhole(step)) text += index === 0 ? step : `.${step}`;
    else text += `[${showText(step)}]`;
  }
  return text;
}
