import type { SinkErrorCode } from '@kollect/core';

/** What a condition says where no error is behind it. */
export type OwnReason =
  | 'Accepted'
  | 'Delivered'
  | 'AsExpected'
  | 'Pending'
  | 'Suspended'
  | 'Superseded'
  | 'NoInventory'
  | 'NoTargets'
  | 'SinkNotFound'
  | 'SinkNotReady'
  | 'TypeNotAllowed'
  | 'TargetIncomplete'
  | 'TargetNotFound'
  | 'CollectFailed'
  | 'Removing'
  | 'Verified'
  | 'SinkDegraded';

/** `SpecInvalid`: a code of an error as a word of a condition. */
export type CodeReason =
  Exclude<SinkErrorCode, 'EGRESS_DENIED'> extends infer Code extends string ? CamelCase<Code> : never;

type CamelCase<Text extends string> = Text extends `${infer First}_${infer Rest}`
  ? `${Capitalize<Lowercase<First>>}${CamelCase<Rest>}`
  : Capitalize<Lowercase<Text>>;

export type ConditionReason = OwnReason | CodeReason;

/**
 * The code as a tenant sees it. An address that the operator denies looks like one that cannot be reached: the difference would say which names
 * lead into the operator's network. The operator's log has the code itself.
 */
export function tenantCode(code: SinkErrorCode): Exclude<SinkErrorCode, 'EGRESS_DENIED'> {
  return code === 'EGRESS_DENIED' ? 'UNAVAILABLE' : code;
}

export function reasonOf(code: SinkErrorCode): CodeReason {
  const words = tenantCode(code).toLowerCase().split('_');
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('') as CodeReason;
}

const textsByCode: Readonly<Record<Exclude<SinkErrorCode, 'EGRESS_DENIED'>, string>> = {
  SNAPSHOT_INVALID: 'The inventory holds something that cannot be exported.',
  SPEC_INVALID: 'The spec, or the Secret that belongs to it, cannot be used as written.',
  CONFLICT: 'A record under the same key belongs to another inventory or cluster.',
  DELETE_LIMIT: 'The export would delete more than the sink allows.',
  PAYLOAD_TOO_LARGE: 'An item or a document is larger than the store takes.',
  CREDENTIALS_UNAVAILABLE: 'The Secret or ConfigMap that the sink names cannot be read, or lacks a key.',
  AUTHENTICATION_FAILED: 'The store does not accept the credentials.',
  PERMISSION_DENIED: 'The store does not permit what the sink does.',
  TLS_FAILED: 'TLS failed: check the certificates, and the name that the server is called by.',
  NOT_FOUND: 'The database, schema, table, topic or stream is not there.',
  SCHEMA_MISMATCH: 'The table, topic or stream is there and shaped otherwise than the sink needs.',
  UNAVAILABLE: 'The host cannot be reached, or the operator does not allow it.',
  OVERLOADED: 'The store asks for fewer requests, or is out of a resource.',
  TIMEOUT: 'The store did not answer in time.',
  ABORTED: 'The export was ended before it was done.',
  BACKEND_ERROR: 'The store answered with an error.',
  CONTRACT_VIOLATION: 'The sink type failed: see the log of the operator.',
};

const ownTexts: Readonly<Record<OwnReason, string>> = {
  Accepted: 'Everything that it names can be used.',
  Delivered: 'The store holds what was collected last.',
  AsExpected: 'Nothing is known to be wrong.',
  Pending: 'Not tried yet.',
  Suspended: 'Nothing is exported while it is suspended.',
  Superseded: 'The store holds something newer than what was exported.',
  NoInventory: 'No inventory names the sink.',
  NoTargets: 'It names no target.',
  SinkNotFound: 'There is no KollectSink of this name in the namespace.',
  SinkNotReady: 'The KollectSink cannot be used: see its conditions.',
  TypeNotAllowed: 'The operator does not allow sinks of this type.',
  TargetIncomplete: 'Not all objects of a target are known; what the sinks hold of it stays.',
  TargetNotFound: 'A target is not there or cannot be used; what the sinks hold of it stays.',
  CollectFailed: 'The operator could not say what belongs to the inventory; what the sinks hold stays.',
  Removing: 'The inventory is being taken out of the sink.',
  Verified: 'Every step of the test passed.',
  SinkDegraded: 'A sink did not take what was collected last.',
};

/** The same text for the same reason, whatever a store said. */
export function textOf(reason: OwnReason): string {
  return ownTexts[reason];
}

export function textOfCode(code: SinkErrorCode): string {
  return textsByCode[tenantCode(code)];
}

/** The constant text of any reason, for Events. */
export function textOfReason(reason: string): string {
  if (Object.hasOwn(ownTexts, reason)) return ownTexts[reason as OwnReason];
  const code = Object.keys(textsByCode).find((each) => reasonOf(each as SinkErrorCode) === reason);
  return code === undefined ? '' : textsByCode[code as keyof typeof textsByCode];
}
