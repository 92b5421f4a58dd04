import { randomBytes } from 'node:crypto';
import type { KeyPair } from './certificates.ts';
import type { KafkaConnection, KafkaListener, KafkaUser } from './kafka-connection.ts';
import { certificateFiles } from './kafka-properties.ts';

/** How a broker is brought down: `stop` hands its partitions over first, `kill` is like a power cut. */
export type KafkaRestartMode = 'stop' | 'kill';

/** What a backend needs to make a server. */
export interface KafkaBackendOptions {
  readonly nodes: number;
  readonly users: KafkaConnection['users'];
  readonly certificates: KafkaCertificates;
  readonly settings: Readonly<Record<string, string>>;
  /** True opens the listener `proxied`, whose advertised address is that of a proxy which `startProxy` starts. */
  readonly startProxy?: (target: {
    readonly host: string;
    readonly port: number;
  }) => Promise<{ readonly host: string; readonly port: number }>;
  /** True is for measurements: the compiler and the memory that a broker has in production. */
  readonly optimised: boolean;
  /** True leaves the server running when this process ends. */
  readonly keep: boolean;
}

/** The certificates that the listeners show, and the authority that client certificates must come from. */
export interface KafkaCertificates {
  readonly ca: string;
  readonly server: KeyPair;
  readonly expired: KeyPair;
  readonly elsewhere: KeyPair;
}

/** One broker. */
export interface KafkaNode {
  readonly id: number;
  /** Its plaintext address. */
  readonly address: string;
  running(): Promise<boolean>;
  logTail(): Promise<string>;
  /** Starts it on the same ports and data; it may not answer yet. */
  launch(): Promise<void>;
  /** Brings it down; resolves when it is gone. */
  halt(mode: KafkaRestartMode): Promise<void>;
  /** Stops it from running any further, its sockets open, until `thaw`. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
}

/** A Kafka that was made and launched in one of the ways; it may not answer yet. */
export interface KafkaBackend {
  readonly kind: KafkaConnection['kind'];
  readonly version: string;
  readonly host: string;
  readonly nodes: readonly KafkaNode[];
  readonly listeners: Readonly<Partial<Record<KafkaListener, readonly string[]>>>;
  readonly container?: NonNullable<KafkaConnection['container']>;
  /** A shell command that ends a server which was kept, and removes what it leaves. */
  readonly stopCommand: string;
  /** Brings it down and removes what it leaves. */
  dispose(): Promise<void>;
}

/** What the broker reads its certificates from: name and content. */
export function certificateContents({
  ca,
  server,
  expired,
  elsewhere,
}: KafkaCertificates): readonly (readonly [string, string])[] {
  const both = ({ key, cert }: KeyPair): string => `${key.trim()}\n${cert.trim()}\n`;
  return [
    [certificateFiles.ca, ca],
    [certificateFiles.server, both(server)],
    [certificateFiles.expired, both(expired)],
    [certificateFiles.elsewhere, both(elsewhere)],
  ];
}

/** The content of a properties file. */
export function propertiesText(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** The users whom brokers know. */
export function allUsers(users: KafkaConnection['users']): KafkaUser[] {
  return Object.values(users);
}

/** A random id of a cluster; it never begins with a dash, which the tool that formats storage takes for an option. */
export function randomClusterId(): string {
  return Buffer.concat([Buffer.alloc(1), randomBytes(15)]).toString('base64url');
}
