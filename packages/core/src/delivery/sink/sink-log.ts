import type { SinkError } from '../../contract/errors/errors.ts';
import type { DeliveryLogger } from '../../observability/logging.ts';
import type { BreakerChange } from '../stations/breaker.ts';

/** The log lines of one sink. */
export interface SinkLog {
  abandoned(): void;
  closeFailed(error: SinkError): void;
  retried(error: SinkError): void;
  breakerChanged(change: BreakerChange): void;
  replaced(): void;
}

/** `about` is asked for each line: the sink may become one of another type. */
export function createSinkLog(
  logger: DeliveryLogger,
  about: () => { readonly sink: string; readonly sinkType: string },
): SinkLog {
  return {
    abandoned: () => logger.warn(about(), 'The sink ignored its signal: it was abandoned and is replaced.'),
    closeFailed: ({ code, message }) => logger.warn({ ...about(), code }, message),
    retried: ({ code, reason }) => logger.debug({ ...about(), code, reason }, 'An attempt failed and is made again.'),
    breakerChanged: ({ to, error }) => {
      if (to === 'closed') logger.info(about(), 'The circuit of the sink closed: exports are made again.');
      if (to === 'open')
        logger.warn({ ...about(), ...errorFields(error) }, 'The circuit of the sink opened: exports are skipped.');
      if (to === 'half-open') logger.debug(about(), 'The circuit of the sink lets one export through.');
    },
    replaced: () => logger.info(about(), 'The sink was replaced.'),
  };
}

function errorFields(error: SinkError | undefined): {
  readonly code?: string;
  readonly reason?: string;
  readonly error?: string;
} {
  return error === undefined ? {} : { code: error.code, reason: error.reason, error: error.message };
}
