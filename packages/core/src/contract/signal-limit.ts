/** By name, so that two copies of this package know it of each other. */
const limit = Symbol.for('@kollect/core/limitMs');

/** Notes on the signal that it aborts by itself after so many milliseconds at the latest. */
export function noteLimit(signal: AbortSignal, ms: number): void {
  Object.defineProperty(signal, limit, { value: ms });
}

/** Within how many milliseconds the signal aborts by itself; undefined where nobody said so. */
export function limitOf(signal: AbortSignal): number | undefined {
  const noted = (signal as unknown as Readonly<Record<symbol, unknown>>)[limit];
  return typeof noted === 'number' ? noted : undefined;
}
