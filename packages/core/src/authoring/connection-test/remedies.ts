import type { SinkErrorCode } from '../../contract/errors/errors.ts';

/** What to do about a failed step, by the code of its error. */
export type Remedies = Readonly<Partial<Record<SinkErrorCode, string>>>;

const readTheMessage = 'Read what was found; docs/errors.md explains the code.';

/** For every code; a sink that knows better says so for some. */
export const defaultRemedies: Readonly<Record<SinkErrorCode, string>> = {
  SNAPSHOT_INVALID: readTheMessage,
  CREDENTIALS_UNAVAILABLE:
    'Make the secret readable for the operator: its name, its namespace, the permission to get it.',
  SPEC_INVALID: 'Correct the spec, or the credentials that belong to it.',
  CONFLICT: readTheMessage,
  DELETE_LIMIT: readTheMessage,
  PAYLOAD_TOO_LARGE: readTheMessage,
  AUTHENTICATION_FAILED:
    'Check user, password, token or client certificate, and that the server lets them in from here.',
  PERMISSION_DENIED: 'Grant this login what the documentation of the sink lists.',
  EGRESS_DENIED: 'Use a server that the egress policy of the operator allows, or have the policy changed.',
  TLS_FAILED:
    'Give the CA that signed the certificate of the server, dial it by a name that the certificate carries, or set tls.serverName.',
  NOT_FOUND: 'Create what is missing, or correct its name in the spec.',
  SCHEMA_MISMATCH: 'Change what is there to what the sink needs, or name another in the spec.',
  UNAVAILABLE: 'Check host, port and firewall, and that the server runs.',
  OVERLOADED: 'Give the server more room, or let fewer clients use it.',
  TIMEOUT: 'Check firewall and load of the server, or raise the time limits in the spec.',
  ABORTED: 'Run the test again.',
  BACKEND_ERROR: 'Check that the right kind of server answers at host and port, and read its log.',
  CONTRACT_VIOLATION: readTheMessage,
};

/** Of reading a secret, where no server was asked yet. */
export const credentialRemedies: Remedies = {
  SPEC_INVALID: 'Correct the secret, or the fields of the spec that say what it must hold.',
  CREDENTIALS_UNAVAILABLE: 'Make the secret readable for the operator: what the host gave to read it failed.',
  TIMEOUT: 'Make the secret readable for the operator: what the host gave to read it did not answer.',
};
