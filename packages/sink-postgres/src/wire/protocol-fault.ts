import type { Fault } from '@kollect/core/authoring';

/** Thrown for what no PostgreSQL sends; nothing of what was sent is in it. */
export class ProtocolFault extends Error {
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(fault.what);
    this.fault = fault;
  }
}

const remedy = 'Is this PostgreSQL, or a pooler that speaks its protocol? Something on the way may garble it, too.';

/** What answers was never PostgreSQL, as far as anybody can tell. */
export const noSense: Fault = {
  code: 'BACKEND_ERROR',
  what: 'What answers at the address does not speak the PostgreSQL protocol',
  remedy: 'Check host and port.',
};

/** Once the sink is in, another connection may do better. */
export function broken(sent: string): Fault {
  return { code: 'UNAVAILABLE', what: `The server sent ${sent}`, remedy };
}
