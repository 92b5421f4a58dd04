import { SinkError, type SinkErrorCode, type SinkOperation } from '@kollect/core';
import { showText } from '@kollect/core/authoring';
import { clientErrorVerdict, sqlStateVerdict, type Verdict } from './error-verdicts.ts';

export interface PostgresErrorOptions {
  readonly operation?: SinkOperation | undefined;
  /** What was being done, for the message: `reading the rows of the scope`. */
  readonly doing?: string | undefined;
}

/** What a server, a pooler, a socket or the driver may have put on an error; nothing else of it is ever read. */
interface Fields {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly severity?: unknown;
  readonly schema?: unknown;
  readonly table?: unknown;
  readonly column?: unknown;
  readonly constraint?: unknown;
}

/**
 * Any error of `pg`, the socket or the server as a SinkError; one that is a SinkError passes through. The server's `detail`, `where`
 * and `hint` are dropped, and so is the error itself as a cause: they carry row data.
 */
export function postgresError(error: unknown, options: PostgresErrorOptions = {}): SinkError {
  if (SinkError.isInstance(error)) return SinkError.from(error, { sinkType: 'postgres', operation: options.operation });
  const fields = fieldsOf(error);
  const sqlState = sqlStateOf(fields);
  const verdict =
    sqlState === undefined
      ? clientErrorVerdict(fields.code, textOf(fields))
      : sqlStateVerdict(sqlState, textOf(fields), fields.schema);
  return new SinkError(verdict.code, describe(verdict, fields, sqlState, options.doing), {
    sinkType: 'postgres',
    operation: options.operation,
    retryable: verdict.retryable,
  });
}

/** Whether the client that met the error must be thrown away instead of going back to the pool. Ask with the error as it was thrown. */
export function isConnectionBroken(error: unknown): boolean {
  if (SinkError.isInstance(error)) return brokenCodes.has(error.code);
  const fields = fieldsOf(error);
  const sqlState = sqlStateOf(fields);
  if (sqlState === undefined) return true;
  return (
    fields.severity === 'FATAL' ||
    fields.severity === 'PANIC' ||
    /^(08|57P|58|XX)|^(25006|25P03|25P04|53300)$/.test(sqlState)
  );
}

/** A connection that was aborted or timed out half-way may still be busy. */
const brokenCodes: ReadonlySet<SinkErrorCode> = new Set(['UNAVAILABLE', 'TIMEOUT', 'ABORTED']);

/** The SQLSTATE of a server's error, or undefined: `EPIPE` has five characters too, and no digit. */
export function sqlStateOf(error: unknown): string | undefined {
  const { code } = fieldsOf(error);
  return typeof code === 'string' && /^(?=.*[0-9])[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

function fieldsOf(error: unknown): Fields {
  return typeof error === 'object' && error !== null ? error : {};
}

function textOf({ message, name }: Fields): string {
  if (name === 'AbortError' || name === 'TimeoutError') return name;
  return typeof message === 'string' ? message : '';
}

function describe(verdict: Verdict, fields: Fields, sqlState: string | undefined, doing: string | undefined): string {
  const facts = [
    ...(sqlState === undefined ? [] : [`SQLSTATE ${sqlState}`]),
    ...(sqlState === undefined && typeof fields.code === 'string' ? [fields.code] : []),
    ...(['table', 'column', 'constraint'] as const).flatMap((kind) =>
      typeof fields[kind] === 'string' ? [`${kind} ${showText(fields[kind])}`] : [],
    ),
  ];
  // The server's own words only where they name objects and never values.
  const words =
    verdict.quoteServer === true && typeof fields.message === 'string' ? `: ${fields.message.slice(0, 300)}` : '';
  const known = facts.length === 0 ? '' : ` (${facts.join(', ')})`;
  const when = doing === undefined ? '' : ` while ${doing}`;
  const remedy = verdict.remedy === undefined ? '' : ` ${verdict.remedy}`;
  return `${verdict.what}${when}${known}${words}${/[.!?]$/.test(words) ? '' : '.'}${remedy}`;
}
