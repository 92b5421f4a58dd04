import type { DeliveryLogger, Egress } from '@kollect/core';
import type { ServerAddress } from '@kollect/core/authoring';

/** What a sink of the suite is made with: pass on all of it. */
export interface CreateSinkOptions {
  /** Name of the KollectSink resource. */
  readonly name: string;
  /** For `createSinkRegistry`: records where the sink dials, and forbids it in one check. */
  readonly egress: Egress;
  /** For `registry.create`: where the client library logs. */
  readonly logger: DeliveryLogger;
  /** Where to dial instead of the store: given where the harness has the hook `server`, by the checks that need it. */
  readonly server?: ServerAddress;
}
