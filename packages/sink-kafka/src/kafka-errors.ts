import { SinkError, type SinkOperation } from '@kollect/core';
import { clientErrorVerdict, protocolVerdict, unknownFault, type Verdict } from './error-verdicts.ts';

export interface KafkaErrorOptions {
  readonly operation?: SinkOperation | undefined;
  /** What was being done, for the message: `exporting inventory team-a/web to topic "inventory"`. */
  readonly doing?: string | undefined;
}

/** What a client may have put on an error; nothing else of it is ever read, and its message never shown: kafkajs quotes keys and headers. */
interface Fields {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  /** kafkajs: the name of the broker's code. */
  readonly type?: unknown;
  /** `@platformatic/kafka`: the broker's code and its name. */
  readonly apiCode?: unknown;
  readonly apiId?: unknown;
  readonly throttleTimeMs?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
  readonly response?: unknown;
}

interface ProtocolCode {
  readonly code: number;
  readonly name: string | undefined;
}

/**
 * Any error of kafkajs, `@platformatic/kafka`, the socket or a broker as a SinkError; one that is a SinkError, or was caused by one, passes
 * through. Looks past the wrappers: kafkajs' say "not retriable" of every outage. The original error is not kept.
 */
export function kafkaError(error: unknown, options: KafkaErrorOptions = {}): SinkError {
  const chain = unwrap(error);
  const known = chain.find((each) => SinkError.isInstance(each));
  if (known !== undefined) return SinkError.from(known, { sinkType: 'kafka', operation: options.operation });
  const fields = chain.map(fieldsOf);
  const protocol = fields.map(protocolCodeOf).findLast((code) => code !== undefined);
  // From the innermost outwards: a wrapper's own words say less than its cause.
  const verdict =
    protocol === undefined
      ? (fields
          .toReversed()
          .map((each) => clientErrorVerdict(each.code, textOf(each)))
          .find((each) => each !== undefined) ?? unknownFault)
      : protocolVerdict(protocol.code);
  return new SinkError(verdict.code, describe(verdict, protocol, fields, options.doing), {
    sinkType: 'kafka',
    operation: options.operation,
    retryable: verdict.retryable,
    retryAfterMs: verdict.code === 'OVERLOADED' ? throttleOf(fields) : undefined,
  });
}

/** The broker's code that an error carries, if any. */
export function protocolCodeIn(error: unknown): number | undefined {
  return unwrap(error)
    .map(fieldsOf)
    .map(protocolCodeOf)
    .findLast((code) => code !== undefined)?.code;
}

const maxErrors = 100;

/** The error and all that caused it, outermost first. */
function unwrap(error: unknown): readonly unknown[] {
  const found = [error];
  for (let at = 0; at < found.length && found.length < maxErrors; at += 1) {
    const { cause, errors } = fieldsOf(found[at]);
    for (const inner of [cause, ...(Array.isArray(errors) ? (errors as readonly unknown[]) : [])]) {
      if (typeof inner === 'object' && inner !== null && !found.includes(inner)) found.push(inner);
    }
  }
  return found;
}

function fieldsOf(error: unknown): Fields {
  return typeof error === 'object' && error !== null ? error : {};
}

function protocolCodeOf({ type, code, apiCode, apiId }: Fields): ProtocolCode | undefined {
  if (isCode(apiCode)) return { code: apiCode, name: nameOf(apiId) };
  // kafkajs has a number of its own for codes that are newer than it.
  if (typeof type === 'string' && isCode(code)) return { code: code === -99 ? -1 : code, name: nameOf(type) };
  return undefined;
}

function isCode(code: unknown): code is number {
  return typeof code === 'number' && Number.isInteger(code) && code !== 0;
}

function nameOf(name: unknown): string | undefined {
  return typeof name === 'string' && /^[A-Z][A-Z_]{1,60}$/.test(name) ? name : undefined;
}

function textOf({ name, message }: Fields): string {
  return `${typeof name === 'string' ? name : ''} ${typeof message === 'string' ? message : ''}`.trim();
}

function throttleOf(fields: readonly Fields[]): number | undefined {
  const told = fields.flatMap((each) => [each.throttleTimeMs, fieldsOf(each.response).throttleTimeMs]);
  return told.find((ms) => typeof ms === 'number' && ms > 0) as number | undefined;
}

function describe(
  verdict: Verdict,
  protocol: ProtocolCode | undefined,
  fields: readonly Fields[],
  doing: string | undefined,
): string {
  const clientCode = fields
    .map(({ code }) => code)
    .findLast((code) => typeof code === 'string' && /^[A-Z][A-Z0-9_/]{2,60}$/.test(code));
  const facts =
    protocol === undefined
      ? clientCode
      : `Kafka error ${protocol.code}${protocol.name === undefined ? '' : `, ${protocol.name}`}`;
  const known = typeof facts === 'string' ? ` (${facts})` : '';
  const when = doing === undefined ? '' : ` while ${doing}`;
  return `${verdict.what}${when}${known}.${verdict.remedy === undefined ? '' : ` ${verdict.remedy}`}`;
}
