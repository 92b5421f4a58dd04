export interface ApiErrorOptions {
  /** HTTP status; 0 where there was no answer. */
  readonly status: number;
  /** As the server's Status object has it, where it is one of the known words: `Expired`, `AlreadyExists`. */
  readonly reason?: string;
  /** What `Retry-After` asked for. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** A call of the API server that failed. Its message is of our own words: nothing that a server said is in it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly reason: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, { status, reason, retryAfterMs, cause }: ApiErrorOptions) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}
