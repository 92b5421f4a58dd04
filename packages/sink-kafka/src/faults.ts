import type { SinkErrorCode } from '@kollect/core';
import type { Fault } from '@kollect/core/authoring';

/** Faults of one code. */
export const fault =
  (code: SinkErrorCode, traits: Pick<Fault, 'retryable'> = {}) =>
  (what: string, remedy?: string): Fault => ({ code, what, ...(remedy === undefined ? {} : { remedy }), ...traits });

export const refusedLogin = fault('AUTHENTICATION_FAILED')(
  'The broker refused the login',
  'Check the credentials, and that the user has this SASL mechanism.',
);
