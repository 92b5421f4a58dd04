import { safeMessage } from './message.ts';
import { nameOfThrown, readQuietly } from './thrown.ts';

/** Why an export failed, in the operator's vocabulary: what metrics and status conditions show. */
export type SinkErrorReason = 'transient' | 'terminal' | 'forbidden' | 'payload_too_large';

interface CodeTraits {
  readonly reason: SinkErrorReason;
  readonly retryable: boolean;
}

const terminal: CodeTraits = { reason: 'terminal', retryable: false };
const transient: CodeTraits = { reason: 'transient', retryable: true };
const forbidden: CodeTraits = { reason: 'forbidden', retryable: false };

const traitsByCode = {
  /** The snapshot, or a document that claims to hold one, breaks the data contract. */
  SNAPSHOT_INVALID: terminal,
  /** The spec, or the credentials that belong to it, cannot be used as written. */
  SPEC_INVALID: terminal,
  /** A record under our key belongs to somebody else. */
  CONFLICT: terminal,
  /** The export would delete more than the sink's limit allows. */
  DELETE_LIMIT: terminal,
  /** An item or a document is larger than the store takes. */
  PAYLOAD_TOO_LARGE: { reason: 'payload_too_large', retryable: false },
  /** The host could not give the credentials or certificates: reading its Secret, file or variable failed. */
  CREDENTIALS_UNAVAILABLE: transient,
  /** The store does not accept who we say we are: user, password, token or certificate. */
  AUTHENTICATION_FAILED: forbidden,
  /** The store knows who we are and does not permit the operation. */
  PERMISSION_DENIED: forbidden,
  /** The egress policy does not let this process dial the address. */
  EGRESS_DENIED: forbidden,
  /** The two ends cannot agree on TLS, or the certificate is not the one that was asked for. */
  TLS_FAILED: terminal,
  /** The database, schema, table or topic is not there. */
  NOT_FOUND: terminal,
  /** The table or topic is there and shaped otherwise than the sink needs. */
  SCHEMA_MISMATCH: terminal,
  /** The store cannot be reached, is starting, stopping or read-only, or dropped the connection. */
  UNAVAILABLE: transient,
  /** The store asks for fewer or smaller requests, or is out of a resource. */
  OVERLOADED: transient,
  /** A time limit passed; whether the store has the data is unknown. */
  TIMEOUT: transient,
  /** The caller's signal aborted the operation. */
  ABORTED: { reason: 'transient', retryable: false },
  /** The store answered with an error that this SDK has no better word for. */
  BACKEND_ERROR: terminal,
  /** A sink, or the host, broke the contract: a bug in code, not in data. */
  CONTRACT_VIOLATION: terminal,
} as const satisfies Record<string, CodeTraits>;

/** What went wrong; a closed set, see docs/errors.md. */
export type SinkErrorCode = keyof typeof traitsByCode;

/** Every code there is, in the order of docs/errors.md. */
export const sinkErrorCodes: readonly SinkErrorCode[] = Object.freeze(Object.keys(traitsByCode) as SinkErrorCode[]);

/** What was being done when an error arose. */
export type SinkOperation =
  | 'create'
  | 'open'
  | 'seal'
  | 'export'
  | 'plan'
  | 'remove-inventory'
  | 'test-connection'
  | 'close'
  | 'read';

export interface SinkErrorOptions {
  /** Type name of the sink, such as `postgres`. */
  readonly sinkType?: string | undefined;
  readonly operation?: SinkOperation | undefined;
  /** Overrides what the code implies, for a backend that knows better. */
  readonly retryable?: boolean | undefined;
  /** Milliseconds the backend asked us to wait before the next attempt. */
  readonly retryAfterMs?: number | undefined;
  /** What to do about it, in whole sentences: they end the message, and a connection test tells them apart from what was found. */
  readonly remedy?: string | undefined;
  /** Kept as it is: an error that may carry secrets or row data must not be given. */
  readonly cause?: unknown;
}

const brand = Symbol.for('@kollect/core/SinkError');

/** The errors of this copy. No proxy of one is among them, whose properties may be anything. */
const own = new WeakSet<object>();

function isOwn(value: unknown): value is SinkError {
  return typeof value === 'object' && value !== null && own.has(value);
}

/**
 * The one error that sinks and core throw. Its message names the resource and the remedy, and holds no secret and no row data; whatever it is
 * given, it is one line of at most 2 KB without control characters.
 */
export class SinkError extends Error {
  override readonly name = 'SinkError';
  readonly code: SinkErrorCode;
  readonly reason: SinkErrorReason;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly sinkType: string | undefined;
  readonly operation: SinkOperation | undefined;
  /** The end of the message that says what to do, where it was given apart. */
  readonly remedy: string | undefined;

  constructor(code: SinkErrorCode, message: string, options: SinkErrorOptions = {}) {
    super(
      safeMessage(withRemedy(message, options.remedy)),
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    // Another copy of this package may know codes that this one does not.
    this.code = Object.hasOwn(traitsByCode, code) ? code : 'BACKEND_ERROR';
    const traits = traitsByCode[this.code];
    this.reason = traits.reason;
    this.retryable = options.retryable ?? traits.retryable;
    this.retryAfterMs = options.retryAfterMs;
    this.sinkType = options.sinkType;
    this.operation = options.operation;
    this.remedy = options.remedy === undefined ? undefined : safeMessage(options.remedy);
    Object.defineProperty(this, brand, { value: true });
    own.add(this);
  }

  /** True for a SinkError of any copy of this package, where `instanceof` would know its own alone. */
  static isInstance(value: unknown): value is SinkError {
    return typeof value === 'object' && readQuietly(value, brand) === true;
  }

  /** The error as a SinkError: one of ours gains the sink type and operation it lacks, anything else becomes CONTRACT_VIOLATION. */
  static from(error: unknown, options: Pick<SinkErrorOptions, 'sinkType' | 'operation'> = {}): SinkError {
    const known = isOwn(error) ? error : copyOf(error);
    if (known === undefined) return foreignError(error, options);
    const sinkType = known.sinkType ?? options.sinkType;
    const operation = known.operation ?? options.operation;
    if (sinkType === known.sinkType && operation === known.operation) return known;
    const { retryable, retryAfterMs, remedy, cause } = known;
    return new SinkError(known.code, known.message, { sinkType, operation, retryable, retryAfterMs, remedy, cause });
  }

  /** What a log line or a status may show; without the cause and the stack. */
  toJSON(): Record<string, unknown> {
    const { name, code, reason, retryable, retryAfterMs, sinkType, operation, message } = this;
    return { name, code, reason, retryable, retryAfterMs, sinkType, operation, message };
  }
}

/** The message of a copied error ends with its remedy already; it is not added a second time. */
function withRemedy(message: string, remedy: string | undefined): string {
  return remedy === undefined || message.endsWith(remedy) ? message : `${message} ${remedy}`;
}

/** One of another copy of this package as one of this; undefined for anything else, however much it looks like one. */
function copyOf(error: unknown): SinkError | undefined {
  if (!SinkError.isInstance(error)) return undefined;
  try {
    const { code, message, sinkType, operation, retryable, retryAfterMs, remedy, cause } = error;
    return new SinkError(code, message, { sinkType, operation, retryable, retryAfterMs, remedy, cause });
  } catch {
    return undefined;
  }
}

function foreignError(thrown: unknown, options: Pick<SinkErrorOptions, 'sinkType' | 'operation'>): SinkError {
  const thrower = options.sinkType === undefined ? 'A sink' : `The sink type "${options.sinkType}"`;
  const during = options.operation === undefined ? '' : ` during ${options.operation}`;
  const isError = typeof readQuietly(thrown, 'message') === 'string';
  const what = `${nameOfThrown(thrown)} instead of ${isError ? 'a SinkError' : 'an error'}`;
  return new SinkError(
    'CONTRACT_VIOLATION',
    `${thrower} threw ${what}${during}; a sink throws SinkError only.`,
    options,
  );
}
