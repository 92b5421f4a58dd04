import { SinkError } from '@kollect/core';
import { reasonOf, textOf, textOfCode, type ConditionReason, type OwnReason } from './reasons.ts';

/** What is true now; when it became so is the business of who writes it. */
export interface Judgement {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: ConditionReason;
  readonly message: string;
  readonly observedGeneration?: number;
}

export interface Condition extends Judgement {
  readonly lastTransitionTime: string;
}

/** Why something is as it is: a word and a sentence, of ours alone. */
export interface Cause {
  readonly reason: ConditionReason;
  readonly message: string;
}

export const because = (reason: OwnReason): Cause => ({ reason, message: textOf(reason) });

const longestMessage = 256;

/**
 * Of an error. What says something of the tenant's own resource is shown, as our own messages name a field or a key; anything else has the constant
 * text of its code, since it may speak of what a store said.
 */
export function causeOf(error: unknown): Cause {
  const { code, message } = SinkError.from(error);
  const own = code === 'SPEC_INVALID' || code === 'CREDENTIALS_UNAVAILABLE';
  return { reason: reasonOf(code), message: own ? shorten(message) : textOfCode(code) };
}

function shorten(message: string): string {
  const characters = Array.from(message);
  return characters.length <= longestMessage ? message : `${characters.slice(0, longestMessage - 1).join('')}…`;
}

export function judge(type: string, status: Judgement['status'], cause: Cause): Judgement {
  return { type, status, ...cause };
}

/** The conditions as they are to be written: the time of those whose status did not flip stays what it was. */
export function timedConditions(before: unknown, now: readonly Judgement[], at: string): readonly Condition[] {
  const known = Array.isArray(before) ? (before as readonly unknown[]) : [];
  return now.map((judgement) => {
    const old = known.find((each) => fieldOf(each, 'type') === judgement.type);
    const since = fieldOf(old, 'lastTransitionTime');
    const stays = fieldOf(old, 'status') === judgement.status && typeof since === 'string' && since !== '';
    return { ...judgement, lastTransitionTime: stays ? since : at };
  });
}

export function fieldOf(value: unknown, field: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[field] : undefined;
}
