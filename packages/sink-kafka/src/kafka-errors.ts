import {
  createClassifier,
  errorChain,
  errorFields,
  formatServerAddress,
  parseServerAddress,
  type Classifier,
  type ErrorFields,
  type ErrorReading,
} from '@kollect/core/authoring';
import { clientCodeFault, clientTextFault, networkWords } from './client-words.ts';
import { throttleWithinReason } from './clients/answer-limits.ts';
import { protocolFault } from './error-verdicts.ts';

/** What a client may have put on an error; nothing else of it is used, and its message never shown: kafkajs quotes keys and headers. */
interface KafkaReading extends ErrorReading {
  readonly protocolCode: number | undefined;
  readonly clientCode: unknown;
  /** Name and message. */
  readonly text: string;
  readonly throttleMs: number | undefined;
}

/**
 * Any error of kafkajs, `@platformatic/kafka`, the socket or a broker as a SinkError; one that is a SinkError, or was caused by one, passes
 * through. Looks past the wrappers: kafkajs' say "not retriable" of every outage. The original error is not kept.
 */
export const kafkaError: Classifier = createClassifier<KafkaReading>({
  ...networkWords,
  sinkType: 'kafka',
  read: (fields) => {
    const protocol = protocolCodeOf(fields);
    return {
      protocolCode: protocol?.code,
      clientCode: fields['code'],
      text: textOf(fields),
      throttleMs: throttleOf(fields),
      peer: peerOf(fields),
      ...(protocol === undefined
        ? {}
        : { shown: [`Kafka error ${protocol.code}${protocol.name === undefined ? '' : `, ${protocol.name}`}`] }),
    };
  },
  rules: [
    ({ protocolCode }, _, chain) => {
      if (protocolCode === undefined) return undefined;
      const fault = protocolFault(protocolCode);
      const throttled = chain.find(({ throttleMs }) => throttleMs !== undefined)?.throttleMs;
      return fault.code === 'OVERLOADED' && throttled !== undefined
        ? { ...fault, retryAfterMs: throttleWithinReason(throttled) }
        : fault;
    },
  ],
  wordRules: [({ clientCode }) => clientCodeFault(clientCode), ({ text }) => clientTextFault(text)],
});

/** The broker's code that an error carries, if any. */
export function protocolCodeIn(error: unknown): number | undefined {
  return errorChain(error)
    .map((each) => protocolCodeOf(errorFields(each)))
    .findLast((code) => code !== undefined)?.code;
}

interface ProtocolCode {
  readonly code: number;
  readonly name: string | undefined;
}

/** kafkajs has the name of the broker's code as `type`, `@platformatic/kafka` number and name as `apiCode` and `apiId`. */
function protocolCodeOf({ type, code, apiCode, apiId }: ErrorFields): ProtocolCode | undefined {
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

function textOf({ name, message }: ErrorFields): string {
  return `${typeof name === 'string' ? name : ''} ${typeof message === 'string' ? message : ''}`.trim();
}

function throttleOf({ throttleTimeMs, response }: ErrorFields): number | undefined {
  return [throttleTimeMs, errorFields(response)['throttleTimeMs']].find(
    (ms): ms is number => typeof ms === 'number' && ms > 0,
  );
}

/** The broker that an error is about, as kafkajs says and our connections do: the one that failed, which is not always one of the spec's. */
function peerOf({ broker }: ErrorFields): string | undefined {
  const { value } = parseServerAddress(typeof broker === 'string' ? broker : '');
  return value === undefined ? undefined : formatServerAddress(value);
}
