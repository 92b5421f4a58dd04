import { showText } from '@kollect/core/authoring';
import type { ObjectName, ResourceType } from './kubernetes-api.ts';

/** The words of an API server's Status that are passed on, and nothing else of what it says. */
const serverReasons = [
  'AlreadyExists',
  'BadRequest',
  'Conflict',
  'Expired',
  'Forbidden',
  'Gone',
  'InternalError',
  'Invalid',
  'MethodNotAllowed',
  'NotAcceptable',
  'NotFound',
  'RequestEntityTooLarge',
  'ServerTimeout',
  'ServiceUnavailable',
  'StoreReadError',
  'Timeout',
  'TooManyRequests',
  'Unauthorized',
  'UnsupportedMediaType',
] as const;

/** What went wrong where the server gave no answer that counts. */
type OwnReason =
  /** No connection, or it broke. */
  | 'Unreachable'
  /** The answer did not come in time. */
  | 'NoAnswer'
  /** It is longer than we read. */
  | 'ResponseTooLarge'
  /** It is not what an API server says. */
  | 'BadResponse'
  /** Token or certificate for the call cannot be read. */
  | 'NoCredentials';

/** A word of the server's Status, or, with status 0, what happened to the call. */
export type ApiErrorReason = (typeof serverReasons)[number] | OwnReason;

export interface ApiErrorOptions {
  /** HTTP status; 0 where there was no answer that counts. */
  readonly status: number;
  readonly reason?: ApiErrorReason | undefined;
  /** What `Retry-After` asked for. */
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/** A call of the API server that failed. Its message is of our own words: nothing that a server said is in it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly reason: ApiErrorReason | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, { status, reason, retryAfterMs, cause }: ApiErrorOptions) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The word of a Status, where it is one that is known. */
export function apiReason(word: unknown): ApiErrorReason | undefined {
  return serverReasons.find((known) => known === word);
}

/** What was asked of whom. */
export interface ApiCall {
  readonly verb: string;
  readonly type: Pick<ResourceType, 'plural'>;
  readonly of?: Partial<ObjectName> | undefined;
}

const ownWords: Readonly<Record<OwnReason, string>> = {
  Unreachable: 'the connection to the API server failed',
  NoAnswer: 'the API server did not answer in time',
  ResponseTooLarge: 'the answer is longer than what is read of one',
  BadResponse: 'the answer is none of an API server',
  NoCredentials: 'the credentials for the API server cannot be read',
};

/** The error of a call, in words such as `Could not list deployments in "shop": 403 (Forbidden).`; `detail` is of our own words, too. */
export function callFailed(call: ApiCall, options: ApiErrorOptions, detail?: string): ApiError {
  const { status, reason } = options;
  const own = ownWords[reason as OwnReason] as string | undefined;
  const why = own === undefined || status > 0 ? `${String(status)}${reason === undefined ? '' : ` (${reason})`}` : own;
  const more = detail === undefined ? '' : ` (${detail})`;
  return new ApiError(`Could not ${describeCall(call)}: ${why}${more}.`, options);
}

function describeCall({ verb, type, of }: ApiCall): string {
  const { name, namespace } = of ?? {};
  const named = name === undefined ? '' : ` ${showText(name)}`;
  return `${verb} ${type.plural}${named}${namespace === undefined ? '' : ` in ${showText(namespace)}`}`;
}
