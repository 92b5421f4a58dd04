const firstMs = 800;
const longestMs = 30_000;
/** However long a server asks us to wait. */
const longestAskedMs = 60_000;

/** How long to wait after so many failures in a row, with a random part so that not all come at once. */
export function backOffMs(failures: number, askedMs: number | undefined, random: () => number = Math.random): number {
  const own = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 16));
  const jittered = own * (0.5 + random() / 2);
  if (askedMs === undefined) return jittered;
  return Math.max(jittered, Math.min(askedMs, longestAskedMs) * (1 + random() / 10));
}
