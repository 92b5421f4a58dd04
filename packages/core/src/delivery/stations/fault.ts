import type { SinkError, SinkErrorCode } from '../../contract/errors/errors.ts';

/** Who caused an error: the sink or its store, the snapshot, or the caller who aborted. */
export type Fault = 'sink' | 'data' | 'caller';

const dataCodes: ReadonlySet<SinkErrorCode> = new Set([
  'SNAPSHOT_INVALID',
  'CONFLICT',
  'DELETE_LIMIT',
  'PAYLOAD_TOO_LARGE',
]);

/** Only errors of the sink count for its circuit, and only after those the export is made again: another try of a snapshot that was refused would fail as well. */
export function faultOf({ code }: Pick<SinkError, 'code'>): Fault {
  if (code === 'ABORTED') return 'caller';
  return dataCodes.has(code) ? 'data' : 'sink';
}
