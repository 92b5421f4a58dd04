import type { SinkErrorCode } from '../../contract/errors/errors.ts';

/** What a step found out; `value` is what later steps work with. */
export interface Finding<T> {
  readonly found: string;
  readonly value: T;
  /** Exports will work, and the operator should know. */
  readonly warning?: { readonly code: SinkErrorCode; readonly remedy: string } | undefined;
}
