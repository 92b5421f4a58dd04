import { isDeepStrictEqual } from 'node:util';
import { SinkError, tenantEgress, type Egress, type SinkRegistry } from '@kollect/core';
import { anObject, checkOptions, listOf, objectWith, required, someText } from '@kollect/core/authoring';
import { parseConnectionTest, parseInventory, parseProfile, parseTarget } from '../resources/parse-resources.ts';
import { parseSink } from '../resources/parse-sink.ts';
import { describeResource, fieldsOf } from '../resources/resource-head.ts';
import {
  connectionTestType,
  inventoryType,
  kollectTypes,
  profileType,
  sinkType,
  targetType,
} from '../resources/resource-types.ts';
import { admissionRules } from './admission-rules.ts';
import { allow, refuse, type AdmissionAnswer, type Refusal } from './admission-review.ts';
import { judgeBy } from './denied-address.ts';
import { parseBounded, tooLarge, uidInHead } from './review-limits.ts';

export interface AdmissionHandlerOptions {
  /** Its types are those that sinks may be of. */
  readonly registry: SinkRegistry;
  /** Fewer of them. Default: all. */
  readonly allowedTypes?: readonly string[];
  /** Whom sinks may call, as far as their specs say it in addresses. Default `tenantEgress()`. */
  readonly egress?: Pick<Egress, 'check'>;
}

/**
 * From an AdmissionReview of admission.k8s.io/v1, as the text or the bytes of a request or already parsed, to the one that answers it. Does no I/O and
 * never throws: what cannot be read is refused. Of text and bytes the size is judged before they are parsed; JavaScript lists all keys of an object that is
 * parsed already before the first one can be seen, so that a million of them take their time: give what the request holds.
 */
export type AdmissionHandler = (review: unknown) => AdmissionAnswer;

/**
 * Judges resources as the operator would read them: by the rules of `generateAdmissionPolicy`, by the type of a sink, by the parsers. Throws SPEC_INVALID
 * for options that mean nothing.
 */
export function createAdmissionHandler(options: AdmissionHandlerOptions): AdmissionHandler {
  const {
    registry,
    allowedTypes,
    egress = tenantEgress(),
  } = checkOptions<AdmissionHandlerOptions>(
    options,
    { registry: required(anObject), allowedTypes: listOf(someText), egress: objectWith('check') },
    { of: 'The options of createAdmissionHandler' },
  );
  const rules = admissionRules({ registry, allowedTypes });
  const judge = judgeBy(egress);
  const parsers: Readonly<Record<string, (resource: unknown) => unknown>> = {
    [sinkType.kind]: (resource) => parseSink(resource, registry),
    [inventoryType.kind]: parseInventory,
    [targetType.kind]: parseTarget,
    [profileType.kind]: parseProfile,
    [connectionTestType.kind]: parseConnectionTest,
  };

  const refusalOf = ({ kind, resource }: Judged): Refusal | undefined => {
    const subject = describeResource({ kind }, resource);
    const size = tooLarge(resource.spec);
    if (size !== undefined) return { kind: 'invalid', message: `${subject} is refused: its spec ${size}.` };
    const broken = kind === sinkType.kind ? rules.find(({ isBroken }) => isBroken(resource.spec, judge)) : undefined;
    if (broken !== undefined) return { kind: broken.kind, message: `${subject} is refused: ${broken.message}` };
    try {
      parsers[kind]?.(resource);
      return undefined;
    } catch (error) {
      return { kind: 'invalid', message: SinkError.isInstance(error) ? error.message : `${subject} cannot be read.` };
    }
  };

  return (given) => {
    const isText = typeof given === 'string' || given instanceof Uint8Array;
    let uid = '';
    try {
      if (isText) uid = uidInHead(given);
      const request = fieldsOf(fieldsOf(isText ? parseBounded(given) : given)['request']);
      if (typeof request['uid'] !== 'string' || request['uid'].length > longestUid) return refuse(uid, unreadable);
      uid = request['uid'];
      if (!isAsked(request)) return allow(uid);
      const judged = readJudged(request);
      if (judged === undefined) return refuse(uid, unreadable);
      const refusal = isUnchanged(request, judged) ? undefined : refusalOf(judged);
      return refusal === undefined ? allow(uid) : refuse(uid, refusal);
    } catch {
      return refuse(uid, unreadable);
    }
  };
}

const longestUid = 256;
const unreadable: Refusal = {
  kind: 'invalid',
  message:
    'The AdmissionReview cannot be read: expected admission.k8s.io/v1 with a request, of at most 3 MiB and 20000 values.',
};

type Fields = Readonly<Record<string, unknown>>;

interface Judged {
  readonly kind: string;
  readonly resource: { readonly metadata: Fields; readonly spec: unknown };
}

/** Whether it is one of our resources that is made or changed: all else passes. */
function isAsked({ kind, operation, subResource }: Fields): boolean {
  const { group, version, kind: name } = fieldsOf(kind);
  const isOurs = kollectTypes.some(
    (type) => type.kind === name && type.apiVersion === `${String(group)}/${String(version)}`,
  );
  const isMain = subResource === undefined || subResource === null || subResource === '';
  return isOurs && isMain && (operation === 'CREATE' || operation === 'UPDATE');
}

function readJudged({ kind, object, namespace, name }: Fields): Judged | undefined {
  if (typeof object !== 'object' || object === null) return undefined;
  const { metadata, spec } = fieldsOf(object);
  const given = fieldsOf(metadata);
  const text = (...choices: readonly unknown[]): string =>
    choices.find((one): one is string => typeof one === 'string' && one !== '' && one.length <= 253) ?? 'unnamed';
  // Nothing of the head is the user's to get wrong, and one that is being made has no version yet.
  const head = {
    namespace: text(namespace, given['namespace']),
    name: text(given['name'], name, given['generateName']),
  };
  return {
    kind: String(fieldsOf(kind)['kind']),
    resource: { metadata: { ...head, uid: 'none', resourceVersion: 'none' }, spec },
  };
}

/** What the match conditions of policy and webhook let by. */
function isUnchanged({ operation, object, oldObject }: Fields, { resource }: Judged): boolean {
  const isBeingDeleted = (fieldsOf(fieldsOf(object)['metadata'])['deletionTimestamp'] ?? undefined) !== undefined;
  if (isBeingDeleted && resource.spec === undefined) return true;
  const { spec: before } = fieldsOf(oldObject);
  return operation === 'UPDATE' && before !== undefined && isDeepStrictEqual(resource.spec, before);
}
