import { SinkError, type SinkErrorCode } from '@kollect/core';
import {
  createClassifier,
  errorFields,
  showText,
  type Classifier,
  type ErrorFields,
  type ErrorReading,
  type Fault,
} from '@kollect/core/authoring';
import { driverFault } from './driver-words.ts';
import { sqlStateFault } from './error-verdicts.ts';
import { poolerFault } from './pooler-words.ts';
import { ProtocolFault } from './wire/protocol-fault.ts';

/** What a server, a pooler or the driver may have put on an error; nothing else of it is ever looked at. */
interface PostgresReading extends ErrorReading {
  readonly sqlState: string | undefined;
  readonly message: string;
  readonly routine: string | undefined;
  readonly schema: string | undefined;
  /** Found by the check of what the server sends. */
  readonly protocol: Fault | undefined;
}

/**
 * Any error of `pg`, the socket or the server as a SinkError. The server's `detail`, `where` and `hint` are dropped, and so is the error itself
 * as a cause: they carry row data. Its message is shown at the login alone, before it has seen a row.
 */
export const postgresError: Classifier = createClassifier<PostgresReading>({
  sinkType: 'postgres',
  server: 'PostgreSQL',
  specPath: 'spec.postgres',
  read: (fields) => {
    const routine = textOf(fields['routine']);
    return {
      sqlState: sqlStateOf(fields),
      message: textOf(fields['message']) ?? '',
      routine,
      schema: textOf(fields['schema']),
      protocol: fields instanceof ProtocolFault ? fields.fault : undefined,
      shown: factsOf(fields, routine),
    };
  },
  rules: [
    ({ protocol }) => protocol,
    (reading, { phase }) => {
      const fault = serverFault(reading);
      return fault === undefined || phase !== 'login' || reading.message === ''
        ? fault
        : { ...fault, words: reading.message };
    },
  ],
  wordRules: [({ message }) => driverFault(message)],
});

function serverFault({ sqlState, ...facts }: Omit<PostgresReading, 'protocol'>): Fault | undefined {
  if (sqlState === undefined) return undefined;
  // PostgreSQL always says where in its source an error was raised, which no pooler does.
  const ofPooler = facts.routine === undefined ? poolerFault(sqlState, facts.message) : undefined;
  const fault = ofPooler ?? sqlStateFault(sqlState, facts);
  const denied = sqlState === '42501' && facts.routine === 'aclcheck_error' ? deniedObject(facts.message) : undefined;
  return denied === undefined ? fault : { ...fault, what: `The user lacks a privilege on ${denied}` };
}

/** Whether the client that met the error must be thrown away instead of going back to the pool. Ask with the error as it was thrown. */
export function isConnectionBroken(error: unknown): boolean {
  if (SinkError.isInstance(error)) return brokenCodes.has(error.code);
  const sqlState = sqlStateOf(error);
  if (sqlState === undefined) return true;
  const { severity } = errorFields(error);
  return severity === 'FATAL' || severity === 'PANIC' || /^(08|57P|58|XX)|^(25006|25P03|25P04|53300)$/.test(sqlState);
}

/** A connection that was aborted or timed out half-way may still be busy. */
const brokenCodes: ReadonlySet<SinkErrorCode> = new Set(['UNAVAILABLE', 'TIMEOUT', 'ABORTED']);

/** The SQLSTATE of a server's error, or undefined: `EPIPE` has five characters too, and no digit. */
export function sqlStateOf(error: unknown): string | undefined {
  const { code } = errorFields(error);
  return typeof code === 'string' && /^(?=.*[0-9])[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

const nameForm = /^[\p{L}_][\p{L}\p{M}\p{N}_$-]{0,62}$/u;

/** SQLSTATE, and names of objects where they look like such. What a trigger raised may hold anything, in any field. */
function factsOf(fields: ErrorFields, routine: string | undefined): readonly string[] {
  const sqlState = sqlStateOf(fields);
  if (sqlState === undefined)
    return typeof fields['code'] === 'string' && /^[A-Z][A-Z0-9_]{2,60}$/.test(fields['code']) ? [fields['code']] : [];
  const names = routine === 'exec_stmt_raise' ? [] : (['table', 'column', 'constraint'] as const);
  return [
    `SQLSTATE ${sqlState}`,
    ...names.flatMap((kind) => {
      const name = textOf(fields[kind]);
      return name !== undefined && nameForm.test(name) ? [`${kind} ${showText(name)}`] : [];
    }),
  ];
}

/** The object of `permission denied for table items`: PostgreSQL's own check names what exists, and never a value. */
function deniedObject(message: string): string | undefined {
  const [, kind, name] =
    /^permission denied for (table|view|sequence|schema|database|function|relation) "?([^"]{1,63})"?$/u.exec(message) ??
    [];
  return kind !== undefined && name !== undefined && nameForm.test(name) ? `${kind} ${showText(name)}` : undefined;
}
