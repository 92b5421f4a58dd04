import { largestAnswerBytes, unreadableAnswer } from './broker-frames.ts';

const kib = 1_024;
/** By the number of the API. The clients take time or memory by the square of the small ones. */
const largestByApi: Readonly<Record<number, number>> = {
  // Metadata, DescribeConfigs
  3: largestAnswerBytes,
  32: 1_024 * kib,
  // SaslHandshake, ApiVersions, SaslAuthenticate
  17: 8 * kib,
  18: 8 * kib,
  36: 8 * kib,
};
const largestOther = 64 * kib;
/** A cluster has hundreds; a client keeps a state for each that it is told. */
const mostBrokers = 4_096;
/** How long a broker may ask to be left alone, and no error tells to wait for longer. */
const longestThrottleMs = 600_000;
/** A second or so of one thread; Kafka's own brokers ask for 16384 at most. */
const mostIterations = 1_000_000;

/** Throws where no broker answers so much to a request of this API. */
export function checkAnswerSize(apiKey: number, bytes: number): void {
  if (bytes > (largestByApi[apiKey] ?? largestOther)) throw unreadableAnswer();
}

/** Throws where no cluster has so many brokers. */
export function checkBrokerCount(count: number): void {
  if (count > mostBrokers) throw unreadableAnswer();
}

/** Milliseconds that a broker asks to wait, as far as is sensible. */
export function throttleWithinReason(ms: number): number {
  return Math.min(ms, longestThrottleMs);
}

/** Throws where the server's first message of SCRAM asks for more work than is sensible, which nobody could cut short. */
export function checkIterations(iterations: unknown): void {
  if (!(Number.parseInt(String(iterations), 10) <= mostIterations)) throw unreadableAnswer();
}
