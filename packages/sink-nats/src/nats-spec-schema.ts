import type { CredentialField, SpecInput, SpecOf, SpecSchema } from '@kollect/core';
import { tlsSpecSchema } from '@kollect/core/authoring';

/** What `spec.nats` may hold. Credentials and certificates are no part of it: they come with the connection. */
export const natsSpecSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['servers', 'stream'],
  properties: {
    servers: {
      type: 'array',
      items: { type: 'string', format: 'server-address', minLength: 1, maxLength: 300 },
      minItems: 1,
      maxItems: 100,
      description: 'Servers, each host:port; one that answers is enough. Addresses that servers name are not dialled.',
    },
    stream: { type: 'string', minLength: 1, maxLength: 255, description: 'Stream that the messages go to.' },
    subjectPrefix: {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      default: 'kollect.inventory',
      description: 'What every subject begins with; cluster, namespace and name of the inventory follow.',
    },
    provisioning: {
      type: 'string',
      enum: ['existing', 'create'],
      default: 'existing',
      description:
        'existing: the stream must be there. create: the sink makes it when it is missing; one that exists is never changed.',
    },
    newStream: {
      type: 'object',
      additionalProperties: false,
      description: 'With provisioning create: what a stream that the sink makes is like.',
      properties: {
        replicas: { type: 'integer', minimum: 1, maximum: 5, default: 1, description: 'Servers that keep the stream.' },
        maxAge: {
          type: 'string',
          format: 'duration',
          default: '168h',
          description: 'What is older is deleted, also the last of an inventory; 0s keeps it for ever.',
        },
        maxBytes: {
          type: 'integer',
          minimum: 1,
          maximum: 9_007_199_254_740_991,
          description: 'Size of the whole stream. Default: no limit.',
        },
        storage: {
          type: 'string',
          enum: ['file', 'memory'],
          default: 'file',
          description: 'Where the stream is kept.',
        },
        discard: {
          type: 'string',
          enum: ['new', 'old'],
          default: 'new',
          description: 'What a full stream does: refuse what is new, or delete what is old.',
        },
      },
    },
    retain: {
      type: 'string',
      enum: ['history', 'latest'],
      default: 'history',
      description:
        'history: every snapshot stays as long as the stream keeps it. latest: a complete one takes the place of those before it.',
    },
    format: {
      type: 'string',
      enum: ['document', 'cloudevents'],
      default: 'document',
      description:
        'document: the body and our own headers. cloudevents: the headers of CloudEvents, binary mode, beside them.',
    },
    headers: {
      type: 'object',
      additionalProperties: { type: 'string', maxLength: 8192 },
      default: {},
      description:
        'Headers that every message carries. Names that begin with kollect.dev/ or Nats-, content-type and content-encoding are taken.',
    },
    compression: {
      type: 'string',
      enum: ['none', 'gzip', 'zstd'],
      default: 'none',
      description: 'How the body of a message is compressed; the header content-encoding says so.',
    },
    maxMessageBytes: {
      type: 'integer',
      minimum: 4096,
      maximum: 67_108_864,
      description:
        'Largest message before compression, headers included; a larger document goes out in parts. Default: what server and stream take.',
    },
    minReplicas: {
      type: 'integer',
      minimum: 1,
      maximum: 5,
      default: 1,
      description: 'A stream with fewer replicas is refused.',
    },
    inboxPrefix: {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      default: '_INBOX',
      description: 'What the subjects of answers begin with, where the user may not subscribe to others.',
    },
    tls: {
      ...tlsSpecSchema,
      properties: {
        ...tlsSpecSchema.properties,
        handshakeFirst: {
          type: 'boolean',
          default: false,
          description: 'Whether TLS begins at once, as handshake_first of the server says.',
        },
      },
      description:
        'How connections are encrypted; CA, client certificate and key come from the connection, not from here. Absent: not encrypted.',
    },
    requestTimeout: {
      type: 'string',
      format: 'duration',
      default: '5s',
      description: 'Longest wait for one answer; above zero, at most 1h, and below deliveryTimeout.',
    },
    connectTimeout: {
      type: 'string',
      format: 'duration',
      default: '10s',
      description: 'Longest time from dialling one server until it let us in; above zero, at most 1h.',
    },
    deliveryTimeout: {
      type: 'string',
      format: 'duration',
      default: '60s',
      description: 'Longest time of one export, connecting included; above zero, at most 24h.',
    },
  },
} as const satisfies SpecSchema;

/** What the sink reads from its credentials: one of these forms, or none. */
export const natsCredentialFields = [
  { name: 'creds', description: 'Content of a creds file: JWT and seed.', secret: true, form: 'creds' },
  { name: 'nkey', description: 'Seed of an nkey.', secret: true, form: 'nkey' },
  { name: 'jwt', description: 'JWT of the user.', secret: true, form: 'jwt' },
  { name: 'seed', description: 'Seed that belongs to the JWT.', secret: true, form: 'jwt' },
  { name: 'token', description: 'Token of the server.', secret: true, form: 'token' },
  { name: 'username', description: 'User.', secret: false, form: 'password' },
  { name: 'password', description: 'Password of the user.', secret: true, form: 'password' },
] as const satisfies readonly CredentialField[];

/** `spec.nats` as it is written; every default is in `natsSpecSchema` and docs/nats.md. */
export type NatsSpec = SpecInput<typeof natsSpecSchema>;

/** `spec.nats` valid and with every default, as the schema gives it. */
export type CompleteNatsSpec = SpecOf<typeof natsSpecSchema>;
