import { createReportBuilder, type ReportBuilder, type SinkErrorCode } from '@kollect/core';
import { kafkaError } from './kafka-errors.ts';

/** Collects the steps of a connection test of Kafka; `doing` is for messages. */
export function kafkaReportBuilder(signal: AbortSignal, doing: string): ReportBuilder {
  return createReportBuilder({
    signal,
    remedies,
    classify: (thrown) => kafkaError(thrown, { operation: 'test-connection', doing }),
  });
}

const readTheMessage = 'Read what was found; docs/errors.md explains the code.';

const remedies: Readonly<Record<SinkErrorCode, string>> = {
  SNAPSHOT_INVALID: readTheMessage,
  CREDENTIALS_UNAVAILABLE:
    'Look at why the operator cannot read the Secret: its name, its namespace, the permission to get it.',
  SPEC_INVALID: 'Correct the spec, or the credentials that belong to it.',
  CONFLICT: readTheMessage,
  DELETE_LIMIT: readTheMessage,
  PAYLOAD_TOO_LARGE: 'Lower maxMessageBytes, or raise max.message.bytes of the topic.',
  AUTHENTICATION_FAILED: 'Check the credentials, and that the user has the SASL mechanism at this listener.',
  PERMISSION_DENIED: 'Grant the user WRITE and DESCRIBE on the topic.',
  EGRESS_DENIED: 'Use brokers that the egress policy of the operator allows, or have the policy changed.',
  TLS_FAILED:
    'Give the CA that signed the certificates of the brokers, dial them by a name that those carry, or set tls.serverName.',
  NOT_FOUND: 'Create the topic, correct its name in the spec, or set topicProvisioning to create.',
  SCHEMA_MISMATCH: 'Compare the settings of the topic with what docs/kafka.md recommends.',
  UNAVAILABLE:
    'Check brokers and firewall, that the brokers run, and that tls and sasl are what the listener at this port expects.',
  OVERLOADED: 'Raise the quota of the user, or the limits of the brokers.',
  TIMEOUT: 'Check firewall and load of the brokers, or raise connectTimeout and requestTimeout.',
  ABORTED: 'Run the test again.',
  BACKEND_ERROR: 'Check that Kafka 2.1 or newer answers at host and port, and read the log of the broker.',
  CONTRACT_VIOLATION: readTheMessage,
};
