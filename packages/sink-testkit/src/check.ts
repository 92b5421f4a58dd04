import type { CheckContext } from './check-context.ts';
import type { ConformanceDefinition } from './conformance-definition.ts';
import type { SinkHarness } from './harness.ts';
import type { Need } from './check-harness.ts';

/** What is checked: a sink type, and the harness around its store. */
export interface Subject {
  readonly definition: ConformanceDefinition;
  readonly harness: SinkHarness;
}

/** One promise that a sink keeps. */
export interface Check {
  /** The promise, as a sentence that a reader of a test report understands. */
  readonly name: string;
  /** Which sinks give the promise. Default: all. */
  readonly applies?: (subject: Subject) => boolean;
  /** What the harness must give for it. Default: nothing beyond sinks and a way to read. */
  readonly needs?: readonly Need[];
  readonly run: (context: CheckContext) => Promise<void>;
}

export const isFenced = ({ definition }: Subject): boolean => definition.capabilities.fenced;

export const holdsItems = ({ harness }: Subject): boolean => harness.holds === 'items';

/** True where an item that a newer snapshot lacks can no longer be read: a newer document simply lacks it. */
export const dropsItems = ({ definition, harness }: Subject): boolean =>
  harness.holds === 'documents' || definition.capabilities.deletes;

export const both =
  (...conditions: readonly ((subject: Subject) => boolean)[]) =>
  (subject: Subject): boolean =>
    conditions.every((condition) => condition(subject));
