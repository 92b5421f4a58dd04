import { SinkError, type SinkOperation } from '../../contract/errors/errors.ts';
import { readQuietly } from '../../contract/errors/thrown.ts';
import { errorChain, errorFields, type ErrorFields } from '../../connection/faults/error-chain.ts';
import type { Fault } from '../../connection/faults/fault.ts';
import { describeNetworkFault, networkFault, type NetworkWords } from '../../connection/faults/network-fault.ts';
import { formatServerAddress } from '../server-address.ts';
import { withoutRemedy } from './without-remedy.ts';

/** What was being done when an error arose. */
export interface Circumstances {
  readonly operation?: SinkOperation | undefined;
  /** For the message: `exporting inventory team-a/web`. */
  readonly doing?: string | undefined;
  /** Before the server let us in, it has seen no row. */
  readonly phase?: 'login' | undefined;
}

/** What a sink reads of an error; `shown` goes into the message as it is, so it must be checked for its form. */
export interface ErrorReading {
  /** Facts in words, such as `SQLSTATE 23505`. */
  readonly shown?: readonly string[];
  /** Whom the error came from, where the client says: `10.0.0.7:9092`. */
  readonly peer?: string | undefined;
}

/** The fault where the rule knows the error, else undefined; `chain` is all of it, innermost first. Pure. */
export type FaultRule<Reading> = (
  reading: Reading,
  circumstances: Circumstances,
  chain: readonly Reading[],
) => Fault | undefined;

export interface ClassifierOptions<Reading extends ErrorReading> extends NetworkWords {
  readonly sinkType: string;
  /** What of an error, or of one that caused it, the sink looks at; nothing else of it is used. Pure; what it throws counts as nothing read. */
  readonly read: (fields: ErrorFields) => Reading;
  /** The sink's own codes, in order: the first rule that knows any of the errors wins, innermost error first. */
  readonly rules: readonly FaultRule<Reading>[];
  /** Asked after the codes of sockets, names and TLS: words of a client that has no codes. */
  readonly wordRules?: readonly FaultRule<Reading>[];
}

/** Any error as a SinkError of the sink's type. One that is a SinkError, or was caused by one, passes through; no other is kept as cause. */
export type Classifier = (thrown: unknown, circumstances?: Circumstances) => SinkError;

/** A pure classifier of one backend: its own codes, and those of sockets, name resolution and TLS that all backends share. */
export function createClassifier<Reading extends ErrorReading>(options: ClassifierOptions<Reading>): Classifier {
  const { sinkType, server, rules, wordRules = [] } = options;
  const unknown: Fault = {
    code: 'UNAVAILABLE',
    what: `The client of ${server} failed in a way the sink does not know`,
  };

  return (thrown, circumstances = {}) => {
    const { operation } = circumstances;
    const chain = errorChain(thrown);
    const known = chain.find((each) => SinkError.isInstance(each));
    if (known !== undefined) {
      const error = SinkError.from(known);
      return SinkError.from(error.sinkType === undefined ? withWords(error, options) : error, { sinkType, operation });
    }
    const readings = chain.flatMap((each) => readingOf(options.read, each)).toReversed();
    const own = firstFault(rules, readings, circumstances);
    const network = own === undefined ? networkFault(thrown) : undefined;
    const found =
      own ??
      (network === undefined
        ? firstFault(wordRules, readings, circumstances)
        : { fault: describeNetworkFault(network, options), reading: undefined });
    const fault = found?.fault ?? unknown;
    const shown = found?.reading?.shown ?? (network?.errorCode === undefined ? codesIn(chain) : [network.errorCode]);
    const peer = readings.find((reading) => reading.peer !== undefined)?.peer;
    const message = describeFault(fault, {
      doing: circumstances.doing,
      shown,
      peer: peer ?? (network?.peer === undefined ? undefined : formatServerAddress(network.peer)),
    });
    return new SinkError(fault.code, message, {
      sinkType,
      operation,
      retryable: fault.retryable,
      retryAfterMs: fault.retryAfterMs,
      remedy: fault.remedy,
    });
  };
}

/** Of an error of core, the sink alone knows where the address stands that the policy forbids, and what to do where dialling failed. */
function withWords(error: SinkError, { specPath, remedies = {} }: NetworkWords): SinkError {
  const { code, message, operation, retryable, retryAfterMs, cause } = error;
  if (code === 'EGRESS_DENIED' && !message.includes(specPath)) {
    const named = `${message.replace(/\.$/u, '')}; look for it in ${specPath} and in the credentials.`;
    return new SinkError(code, named, { operation, cause, remedy: error.remedy });
  }
  const { kind } = networkFault(error) ?? {};
  const remedy = kind === undefined ? undefined : remedies[kind];
  if (remedy === undefined || remedy === error.remedy) return error;
  return new SinkError(code, withoutRemedy(error), { operation, retryable, retryAfterMs, cause, remedy });
}

function readingOf<Reading>(read: (fields: ErrorFields) => Reading, thrown: unknown): readonly Reading[] {
  try {
    return [read(errorFields(thrown))];
  } catch {
    return [];
  }
}

function firstFault<Reading>(
  rules: readonly FaultRule<Reading>[],
  readings: readonly Reading[],
  circumstances: Circumstances,
): { readonly fault: Fault; readonly reading: Reading } | undefined {
  for (const rule of rules) {
    for (const reading of readings) {
      const fault = rule(reading, circumstances, readings);
      if (fault !== undefined) return { fault, reading };
    }
  }
  return undefined;
}

/** The code of a client that nobody knows, where it looks like one. */
function codesIn(chain: readonly unknown[]): readonly string[] {
  const codes = chain.map((each) => readQuietly(each, 'code'));
  return codes
    .filter((code) => typeof code === 'string' && /^[A-Z][A-Z0-9_/]{2,60}$/u.test(code))
    .slice(-1) as string[];
}

interface Facts {
  readonly doing: string | undefined;
  readonly shown: readonly string[];
  readonly peer: string | undefined;
}

/** One sentence of what happened and when, the facts, and the server's words where they may be shown. */
function describeFault({ what, words }: Fault, { doing, shown, peer }: Facts): string {
  const when = doing === undefined ? '' : ` while ${doing}`;
  const facts = [...shown, ...(peer === undefined ? [] : [`at ${peer}`])];
  const known = facts.length === 0 ? '' : ` (${facts.join(', ')})`;
  const quoted = words === undefined ? '' : `: ${quote(words)}`;
  return `${what}${when}${known}${quoted}.`;
}

const maxWords = 200;

function quote(words: string): string {
  const line = words.replaceAll(/[\p{C}\p{Z}]+/gu, ' ').trim();
  return JSON.stringify(line.length > maxWords ? `${line.slice(0, maxWords)}…` : line);
}
