import type { SinkError, SinkErrorCode } from '../../contract/errors.ts';

/** Whose fault an error is: the sink's or its store's, the snapshot's, or the caller's, who wanted it. */
export type Fault = 'sink' | 'data' | 'caller';

const dataCodes: ReadonlySet<SinkErrorCode> = new Set([
  'SNAPSHOT_INVALID',
  'CONFLICT',
  'DELETE_LIMIT',
  'PAYLOAD_TOO_LARGE',
]);

/** A fault of the sink opens its circuit and leaves the snapshot owed; other snapshots are none the worse for a fault of one snapshot. */
export function faultOf({ code }: Pick<SinkError, 'code'>): Fault {
  if (code === 'ABORTED') return 'caller';
  return dataCodes.has(code) ? 'data' : 'sink';
}
