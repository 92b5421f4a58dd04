/** Where the demo writes; a terminal gets a line that counts the seconds, anything else a plain line for work that takes more than one. */
export interface Terminal {
  readonly width: number;
  print(text?: string): void;
  /** Runs the work, showing that it goes on; resolves with its result and how long it took. */
  during<T>(what: string, work: () => Promise<T>): Promise<{ readonly result: T; readonly ms: number }>;
}

const eraseLine = '\r\u001B[2K';

/** Writes to the stream, standard output by default. */
export function createTerminal(stream: NodeJS.WriteStream = process.stdout): Terminal {
  // A reader such as `head` may go away; the demo goes on without it and ends its server in order.
  stream.on('error', () => undefined);
  return {
    width: stream.isTTY ? stream.columns : 110,
    print: (text = '') => void stream.write(`${text}\n`),
    async during(what, work) {
      const started = performance.now();
      const seconds = () => ((performance.now() - started) / 1000).toFixed(1);
      const ticks = stream.isTTY
        ? setInterval(() => stream.write(`${eraseLine}${what} … ${seconds()} s`), 100)
        : setTimeout(() => stream.write(`${what} …\n`), 1000);
      try {
        return { result: await work(), ms: performance.now() - started };
      } finally {
        clearInterval(ticks);
        if (stream.isTTY) stream.write(eraseLine);
      }
    },
  };
}

/** `0.9 s` or `12 ms`. */
export function duration(ms: number): string {
  return ms < 1000 ? `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** `1 file`, `16 files`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
