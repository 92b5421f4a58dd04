import type { Fault } from '@kollect/core/authoring';
import { createLoginRequests, maxLoginRequestBytes } from './login-requests.ts';
import { messageShapes } from './message-shape.ts';
import { broken, noSense, ProtocolFault } from './protocol-fault.ts';

const kibibyte = 1_024;
const mebibyte = 1_024 * kibibyte;

/** What a server may send, in bytes; whatever it says about lengths, no more than it sent is held. */
export const messageLimits = {
  /** Of one message, and of all, before the sink is let in. */
  loginMessage: 64 * kibibyte,
  login: mebibyte,
  message: 16 * mebibyte,
  /** Of what nobody asked for: notices between two statements. */
  idle: mebibyte,
  /** Of the answer to a statement, whose rows are kept: the sink asks for few. Each byte of the statement allows four more. */
  answer: 16 * mebibyte,
  answerPerByte: 4,
  /** Of an answer whose rows are looked at one after another: each digest of 20 bytes may be answered by a row. */
  longAnswer: 256 * mebibyte,
  longAnswerPerByte: 32,
} as const;

/** What the driver makes of a message weighs more than the message. */
const weightOfMessage = 64;
const weightOfColumns = 2_048;

const atLogin = new Set('RSKNEZ');
const whileIdle = new Set('NSAE');
const whileRunning = new Set('123CDEGINSTZAn');

/** Cuts what a server sends into messages and checks each before the driver reads it: the driver believes every length and count. */
export interface ServerMessages {
  /** The messages that are whole by now, to be read at once; undefined where there is none. Throws ProtocolFault. */
  receive(chunk: Buffer): Buffer | undefined;
  /** Our side sent so many bytes, to which an answer may come. */
  sent(bytes: number): void;
  /** The next answer may be long. */
  expectLongAnswer(): void;
}

export function createServerMessages(): ServerMessages {
  const login = createLoginRequests();
  let phase: 'login' | 'idle' | 'running' = 'login';
  let left: number = messageLimits.login;
  let long = false;
  // The beginning of a message whose end is still to come.
  let held: Buffer = Buffer.alloc(0);
  let heldBytes = 0;
  let neededBytes = 0;

  const tooMuch = (): Fault => {
    if (phase === 'idle') return broken(`more than ${inMebibytes(messageLimits.idle)} that nobody asked for`);
    const most = inMebibytes(long ? messageLimits.longAnswer : messageLimits.answer);
    const fault = broken(`more than ${most} for an answer, and more than the statement can have`);
    if (!long) return fault;
    const rows =
      'Where the table holds millions of rows of this inventory that the snapshot has not, delete them first.';
    return { ...fault, remedy: `${fault.remedy ?? ''} ${rows}` };
  };

  /** Looks at the head of a message, before its body is there. */
  const admit = (type: string, length: number): void => {
    if (phase === 'login') {
      if (!atLogin.has(type) || length < 4) throw new ProtocolFault(noSense);
      const most = type === 'R' ? maxLoginRequestBytes : messageLimits.loginMessage;
      if (length > Math.min(most, left)) throw new ProtocolFault(noSense);
      if (!login.accepted && (type === 'K' || type === 'S' || type === 'Z')) throw new ProtocolFault(noSense);
      return;
    }
    if (!(phase === 'idle' ? whileIdle : whileRunning).has(type))
      throw new ProtocolFault(broken('a message that does not belong there'));
    if (length < 4) throw new ProtocolFault(broken('a message that is shorter than its own length'));
    if (length > messageLimits.message)
      throw new ProtocolFault(broken(`a message of more than ${inMebibytes(messageLimits.message)}`));
    if (weightOf(type, length) > left) throw new ProtocolFault(tooMuch());
  };

  const accept = (type: string, bytes: Buffer, start: number, end: number): void => {
    if (type === 'R') {
      const fault = login.fault(bytes, start, end);
      if (fault !== undefined) throw new ProtocolFault(fault === 'malformed' ? noSense : fault);
    } else if (messageShapes[type]?.(bytes, start, end) !== true) {
      throw new ProtocolFault(phase === 'login' ? noSense : broken('a message that is not what it says it is'));
    }
    left -= weightOf(type, end - start);
    if (type !== 'Z') return;
    phase = 'idle';
    long = false;
    left = messageLimits.idle;
  };

  /** A message of many pieces is gathered in a space that grows with what came, not with what was announced. */
  const gather = (chunk: Buffer): Buffer | undefined => {
    if (heldBytes === 0) return chunk;
    const bytes = heldBytes + chunk.length;
    if (bytes > held.length) {
      const larger = Buffer.allocUnsafe(bytes < neededBytes ? Math.min(neededBytes, 2 * bytes) : bytes);
      held.copy(larger, 0, 0, heldBytes);
      held = larger;
    }
    chunk.copy(held, heldBytes);
    heldBytes = bytes;
    return bytes < neededBytes ? undefined : held.subarray(0, bytes);
  };

  return {
    receive(chunk) {
      const bytes = gather(chunk);
      if (bytes === undefined) return undefined;
      let at = 0;
      neededBytes = 5;
      while (bytes.length - at >= 5) {
        const type = String.fromCharCode(bytes[at] ?? 0);
        const length = bytes.readUInt32BE(at + 1);
        admit(type, length);
        const end = at + 1 + length;
        if (end > bytes.length) {
          neededBytes = 1 + length;
          break;
        }
        accept(type, bytes, at + 5, end);
        at = end;
      }
      held = bytes.subarray(at);
      heldBytes = held.length;
      return at === 0 ? undefined : bytes.subarray(0, at);
    },
    sent(bytes) {
      if (phase === 'login') return;
      if (phase === 'idle') left = long ? messageLimits.longAnswer : messageLimits.answer;
      phase = 'running';
      left += bytes * (long ? messageLimits.longAnswerPerByte : messageLimits.answerPerByte);
    },
    expectLongAnswer() {
      long = true;
    },
  };
}

function weightOf(type: string, length: number): number {
  return length + (type === 'T' ? weightOfColumns : weightOfMessage);
}

function inMebibytes(bytes: number): string {
  return `${bytes / mebibyte} MiB`;
}
