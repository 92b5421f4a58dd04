import { showText, type Fault } from '@kollect/core/authoring';

/** Rounds of hashing that a server may ask for; a million hold one thread of the host for half a second. */
export const maxScramIterations = 1_000_000;

/** A nonce and a salt take a hundred bytes. */
export const maxLoginRequestBytes = 2_048;

const [accepted, cleartext, md5, sasl, saslContinue, saslFinal] = [0, 3, 5, 10, 11, 12] as const;

/** What may follow what: a second request would have the password sent, or hashed, once more. */
const following = new Map<number | undefined, readonly number[]>([
  [undefined, [accepted, cleartext, md5, sasl]],
  [cleartext, [accepted]],
  [md5, [accepted]],
  [sasl, [saslContinue]],
  [saslContinue, [accepted, saslFinal]],
  [saslFinal, [accepted]],
]);
const known: ReadonlySet<number> = new Set([accepted, cleartext, md5, sasl, saslContinue, saslFinal]);

/** Ways to log in that `pg` has not, by what pg_hba.conf calls them. */
const unsupported: Readonly<Record<number, string>> = {
  2: 'krb5',
  6: 'ident',
  7: 'gss',
  8: 'gss',
  9: 'sspi',
};

/** Follows what a server asks for at one login. */
export interface LoginRequests {
  /** True once the server let the sink in. */
  readonly accepted: boolean;
  /** What is wrong with a request; `malformed` where the protocol does not know it, or not at this point. */
  fault(bytes: Buffer, start: number, end: number): Fault | 'malformed' | undefined;
}

export function createLoginRequests(): LoginRequests {
  let last: number | undefined;
  return {
    get accepted() {
      return last === accepted;
    },
    fault(bytes, start, end) {
      if (end - start < 4) return 'malformed';
      const request = bytes.readInt32BE(start);
      if (following.get(last)?.includes(request) !== true)
        return known.has(request) || last === accepted ? 'malformed' : otherMethod(unsupported[request]);
      last = request;
      if (request === saslContinue) return challengeFault(bytes.toString('latin1', start + 4, end));
      return hasItsBody(request, bytes, start + 4, end) ? undefined : 'malformed';
    },
  };
}

function hasItsBody(request: number, bytes: Buffer, start: number, end: number): boolean {
  if (request === saslFinal) return true;
  if (request === md5) return end - start === 4;
  if (request !== sasl) return start === end;
  // Names of mechanisms, then an empty one.
  return (
    end - start > 1 &&
    bytes[end - 1] === 0 &&
    bytes[end - 2] === 0 &&
    bytes.indexOf('\0\0', start, 'latin1') === end - 2
  );
}

function otherMethod(method: string | undefined): Fault {
  return {
    code: 'AUTHENTICATION_FAILED',
    what: `The server asks for a login by ${method === undefined ? 'a method' : `the method ${showText(method)}`} that the sink does not have`,
    remedy: 'Let pg_hba.conf of the server ask this user for scram-sha-256, or for a client certificate (cert).',
  };
}

function challengeFault(challenge: string): Fault | undefined {
  const iterations = Number(/(?:^|,)i=(\d+)(?:,|$)/.exec(challenge)?.[1] ?? 0);
  if (iterations <= maxScramIterations) return undefined;
  return {
    code: 'AUTHENTICATION_FAILED',
    what: `The server asks for more than ${maxScramIterations} rounds of hashing the password`,
    remedy: 'Lower scram_iterations of the server, and set the password of the user anew.',
  };
}
