/** What RE2, by which the API server matches, has not, or reads otherwise: looking around, references back, texts by their number, empty classes. */
const foreign = /\\[1-9ckuU]|\(\?(?:[=!]|<[=!])|\[\^?\]|\\[pP]\{(?!(?:[CLMNPSZ][a-z]?)\})/u;
/** RE2 counts nested repeats together. Multiplied are all, so that some are left out that it would take. */
const mostRepeats = 1_000;

/** Whether the API server reads a pattern of JavaScript as it is meant. One that it cannot read would make it refuse the whole definition. */
export function isServerPattern(pattern: string): boolean {
  const withoutBackslashes = pattern.replaceAll('\\\\', '');
  if (foreign.test(withoutBackslashes)) return false;
  const counts = [...withoutBackslashes.matchAll(/\{(\d+)(?:,(\d*))?\}/gu)].map(([, least, most]) =>
    Math.max(1, Number(least), Number(most ?? 0)),
  );
  return counts.reduce((product, count) => product * count, 1) <= mostRepeats;
}
