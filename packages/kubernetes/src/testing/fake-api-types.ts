import type { DeliveryClock } from '@kollect/core';
import type { ApiErrorReason } from '../api/api-error.ts';
import type { ApiObject, KubernetesApi, ObjectName, ResourceType } from '../api/kubernetes-api.ts';

export interface FakeApiOptions {
  /** What it serves beside the core types, Deployments, Leases, Events and those of `kollect.dev`. */
  readonly resourceTypes?: readonly ResourceType[];
  /** For `creationTimestamp`, `deletionTimestamp` and the end of watches. Default Node's timers. */
  readonly clock?: DeliveryClock;
}

export type FakeVerb = 'list' | 'watch' | 'get' | 'create' | 'replace' | 'patch' | 'delete' | 'resourceTypes';

/** One call that was made, whatever became of it. */
export interface FakeCall {
  readonly verb: FakeVerb;
  /** Empty for `resourceTypes`. */
  readonly plural: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: 'status';
  /** Of a list: 1, 2, 3, … */
  readonly page?: number;
}

/** Which calls: those that are equal in every field that is given. */
export type FakeCallMatch = Partial<Omit<FakeCall, 'verb'>> & { readonly verb?: FakeVerb | readonly FakeVerb[] };

/**
 * `status`: refused so. `reset`: no answer, as of a server that is gone; watches that are open break. `silence`: no answer until the call is aborted;
 * watches that are open say nothing any more, even after the fault. `same-continue`: a list names the same next page again and again.
 */
export type FakeFault =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly reason?: ApiErrorReason;
      readonly retryAfterMs?: number;
    }
  | { readonly kind: 'reset' | 'silence' | 'same-continue' };

/** An API server in memory. What it is told beside the calls of the port happens at once, as if another client did it, and counts as no call. */
export interface FakeApi extends KubernetesApi {
  /** Every call since `clearCalls`, the oldest first. */
  calls(match?: FakeCallMatch): readonly FakeCall[];
  /** Those of them that write. */
  writes(match?: FakeCallMatch): readonly FakeCall[];
  clearCalls(): void;
  /** Creates the object, or replaces all of it, status included. Gives what is stored. */
  put(object: ApiObject): ApiObject;
  /** As `kubectl delete`: waits for finalizers. */
  remove(kind: string, of: ObjectName): void;
  read(kind: string, of: ObjectName): ApiObject | undefined;
  /** All objects of the kind, in the order of a list. */
  readAll(kind: string): readonly ApiObject[];
  /** From now on calls that match fail so, at most so many `times`; until what it returns is called. */
  fail(fault: FakeFault, match?: FakeCallMatch & { readonly times?: number }): () => void;
  /** All faults end. */
  heal(): void;
  /** Forgets what happened before: watches that go on there and lists in the middle get 410. Those that are open go on. */
  forgetHistory(): void;
  /** Ends every open watch: in good order, or with what is given, as an ERROR event does. */
  endWatches(error?: Error): void;
  /** Sends a BOOKMARK to every open watch that has got all events; without being told, it sends one each minute. */
  bookmark(): void;
  /** Watches that are open. */
  readonly openWatches: number;
}
