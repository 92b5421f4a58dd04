import type { CredentialField, SpecInput, SpecOf, SpecSchema } from '@kollect/core';
import { tlsSpecSchema } from '@kollect/core/authoring';

/** What `spec.kafka` may hold. Credentials and certificates are no part of it: they come with the connection. */
export const kafkaSpecSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['brokers', 'topic'],
  properties: {
    brokers: {
      type: 'array',
      items: { type: 'string', format: 'server-address', minLength: 1, maxLength: 300 },
      minItems: 1,
      maxItems: 100,
      description: 'Brokers to ask first, each host:port; the cluster names the others.',
    },
    topic: { type: 'string', minLength: 1, maxLength: 249, description: 'Topic that the events go to.' },
    format: {
      type: 'string',
      enum: ['document', 'cloudevents'],
      default: 'document',
      description:
        'document: the value and our own headers. cloudevents: the headers of the CloudEvents Kafka binding, binary mode, beside them.',
    },
    headers: {
      type: 'object',
      additionalProperties: { type: 'string', maxLength: 8192 },
      default: {},
      description:
        'Headers that every message carries. Names that begin with kollect.dev/, and content-type, are taken.',
    },
    compression: {
      type: 'string',
      enum: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
      default: 'zstd',
      description: 'How batches are compressed; snappy and lz4 need an optional package.',
    },
    acks: {
      type: 'string',
      enum: ['all', 'leader', 'none'],
      default: 'all',
      description: 'Who must hold an event before its export succeeds: all in-sync replicas, the leader, or nobody.',
    },
    idempotent: {
      type: 'boolean',
      description: 'Whether the broker drops what the client sends twice. Default: true with acks all, which it needs.',
    },
    transactional: {
      type: 'boolean',
      default: false,
      description: 'Parts of one snapshot become visible together, to consumers that read committed messages.',
    },
    maxMessageBytes: {
      type: 'integer',
      minimum: 1024,
      maximum: 94_371_840,
      default: 921_600,
      description:
        'Largest record, and largest batch of small ones, before compression: key, value and headers. A larger document goes out in parts.',
    },
    clientId: {
      type: 'string',
      minLength: 1,
      maxLength: 249,
      default: 'kollect',
      description: 'Name shown in the logs and quotas of the brokers.',
    },
    tls: {
      ...tlsSpecSchema,
      description:
        'How connections are encrypted; CA, client certificate and key come from the connection, not from here. Absent: not encrypted, which sasl plain and oauthbearer refuse.',
    },
    sasl: {
      type: 'object',
      additionalProperties: false,
      required: ['mechanism'],
      description: 'How to log in; username and password, or token, come from the credentials.',
      properties: {
        mechanism: {
          type: 'string',
          enum: ['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'],
          description: 'plain and scram: username and password. oauthbearer: token.',
        },
      },
    },
    requestTimeout: {
      type: 'string',
      format: 'duration',
      default: '10s',
      description: 'Longest wait for the answer to one request; above zero, at most 1h, and below deliveryTimeout.',
    },
    connectTimeout: {
      type: 'string',
      format: 'duration',
      default: '10s',
      description: 'Longest time from dialling to an encrypted connection; above zero, at most 1h.',
    },
    deliveryTimeout: {
      type: 'string',
      format: 'duration',
      default: '60s',
      description: 'Longest time of one export, connecting included; above zero, at most 24h.',
    },
    topicProvisioning: {
      type: 'string',
      enum: ['existing', 'create'],
      default: 'existing',
      description:
        'existing: the topic must be there. create: the sink makes it when it is missing; one that exists is never changed.',
    },
    newTopic: {
      type: 'object',
      additionalProperties: false,
      description: 'With topicProvisioning create: what a topic that the sink makes is like.',
      properties: {
        partitions: { type: 'integer', minimum: 1, maximum: 10_000, description: 'Default: as the brokers are set.' },
        replicationFactor: {
          type: 'integer',
          minimum: 1,
          maximum: 100,
          description: 'Default: as the brokers are set.',
        },
        configs: {
          type: 'object',
          additionalProperties: { type: 'string', maxLength: 1024 },
          description: 'Settings of the topic, such as retention.ms.',
        },
      },
    },
  },
} as const satisfies SpecSchema;

/** What the sink reads from its credentials, by `sasl.mechanism`; without `sasl` it reads none. */
export const kafkaCredentialFields = [
  { name: 'username', description: 'User of sasl plain and scram.', secret: false, form: 'password' },
  { name: 'password', description: 'Password of sasl plain and scram.', secret: true, form: 'password' },
  { name: 'token', description: 'Token of sasl oauthbearer.', secret: true, form: 'token' },
] as const satisfies readonly CredentialField[];

/** `spec.kafka` as it is written; every default is in `kafkaSpecSchema` and docs/kafka.md. */
export type KafkaSpec = SpecInput<typeof kafkaSpecSchema>;

/** `spec.kafka` valid and with every default, as the schema gives it. */
export type CompleteKafkaSpec = SpecOf<typeof kafkaSpecSchema>;
