import type { SinkErrorCode } from '../../contract/errors/errors.ts';

/** What an error means for an export, in words of ours. */
export interface Fault {
  readonly code: SinkErrorCode;
  /** A sentence without its full stop: `The server is read-only`. */
  readonly what: string;
  /** Whole sentences: what to do about it. */
  readonly remedy?: string;
  /** Where the code alone would say otherwise. */
  readonly retryable?: boolean;
  /** Milliseconds the backend asked us to wait. */
  readonly retryAfterMs?: number;
  /** The server's own words, shown escaped and shortened: only what holds no row and no secret, as at a login. */
  readonly words?: string;
}
