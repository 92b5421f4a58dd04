let lastMoment = 0;

/** A later `exportedAt` at each call, and never one in the server's future. */
export function nextMoment(): string {
  lastMoment = Math.max(lastMoment + 1, Date.now());
  return new Date(lastMoment).toISOString();
}
