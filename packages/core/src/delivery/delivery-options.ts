import { SinkError } from '../contract/errors/errors.ts';
import { parseDuration } from '../registry/duration.ts';
import type { SpecInput, SpecOf, SpecSchema } from '../registry/spec-schema.ts';
import { compileSpecSchema } from '../registry/validation.ts';
import { showText } from '../contract/errors/show-value.ts';

const attempts = {
  attemptTimeout: {
    type: 'string',
    format: 'duration',
    default: '60s',
    description: 'Limit of one attempt, the opening of the sink included.',
  },
  deadline: {
    type: 'string',
    format: 'duration',
    default: '2m',
    description: 'Limit of one export with all its retries, from the first attempt on.',
  },
  abortGrace: {
    type: 'string',
    format: 'duration',
    default: '1s',
    description: 'How long a sink may go on after its signal aborted, before it is replaced.',
  },
  closeTimeout: {
    type: 'string',
    format: 'duration',
    default: '5s',
    description: 'How long the close of a sink may take.',
  },
  concurrentExports: {
    type: 'integer',
    minimum: 1,
    maximum: 1000,
    default: 4,
    description: 'Exports that may write to the sink at once.',
  },
} as const;

const retry = {
  type: 'object',
  additionalProperties: false,
  default: {},
  description: 'What follows an attempt that failed and may succeed later.',
  properties: {
    retries: { type: 'integer', minimum: 0, maximum: 100, default: 3, description: 'Attempts after the first one.' },
    minDelay: {
      type: 'string',
      format: 'duration',
      default: '500ms',
      description: 'Wait before the first retry; up to twice as long, by chance.',
    },
    maxDelay: {
      type: 'string',
      format: 'duration',
      default: '30s',
      description: 'The longest wait, unless the store asks for a longer one.',
    },
    factor: {
      type: 'number',
      minimum: 1,
      maximum: 10,
      default: 2,
      description: 'What each wait is multiplied by for the next one.',
    },
  },
} as const;

const breaker = {
  type: 'object',
  additionalProperties: false,
  default: {},
  description: 'When exports to the sink are not even tried.',
  properties: {
    failures: {
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      default: 5,
      description: 'Failed exports in a row that open the circuit.',
    },
    openFor: {
      type: 'string',
      format: 'duration',
      default: '30s',
      description: 'How long it stays open before one export is tried.',
    },
    forbiddenOpenFor: {
      type: 'string',
      format: 'duration',
      default: '5m',
      description: 'The same after the store said no to the credentials; such a failure opens the circuit at once.',
    },
  },
} as const;

/** How exports to one sink are made; every field has a default. */
export const sinkDeliverySchema = {
  type: 'object',
  additionalProperties: false,
  properties: { ...attempts, retry, breaker },
} as const satisfies SpecSchema;

const paceSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    exportMinInterval: {
      type: 'string',
      format: 'duration',
      default: '30s',
      description: 'Least time between exports that bring nothing material.',
    },
    minChangeInterval: {
      type: 'string',
      format: 'duration',
      default: '0s',
      description: 'Least time between exports even where the change is material.',
    },
  },
} as const satisfies SpecSchema;

const limitsSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    concurrentExports: {
      type: 'integer',
      minimum: 1,
      maximum: 10_000,
      default: 32,
      description: 'Exports that may write at once, to all sinks together.',
    },
  },
} as const satisfies SpecSchema;

export type SinkDeliveryOptions = SpecInput<typeof sinkDeliverySchema>;
export type PaceOptions = SpecInput<typeof paceSchema>;
export type ExporterLimits = SpecInput<typeof limitsSchema>;

/** `SinkDeliveryOptions` complete, in milliseconds. */
export interface SinkDelivery {
  readonly attemptTimeoutMs: number;
  readonly deadlineMs: number;
  readonly abortGraceMs: number;
  readonly closeTimeoutMs: number;
  readonly concurrentExports: number;
  readonly retry: {
    readonly retries: number;
    readonly minDelayMs: number;
    readonly maxDelayMs: number;
    readonly factor: number;
  };
  readonly breaker: { readonly failures: number; readonly openForMs: number; readonly forbiddenOpenForMs: number };
}

/** `PaceOptions` complete, in milliseconds. */
export interface Pace {
  readonly exportMinIntervalMs: number;
  readonly minChangeIntervalMs: number;
}

const validateDelivery = compileSpecSchema('delivery', sinkDeliverySchema);
const validatePace = compileSpecSchema('delivery', paceSchema);
const validateLimits = compileSpecSchema('limits', limitsSchema);

const day = 24 * 60 * 60_000;

/** Throws SPEC_INVALID naming the sink and the field. */
export function resolveSinkDelivery(options: unknown, sink: string): SinkDelivery {
  const { read, ms, refuse } = reader(`The delivery options of sink ${showText(sink)}`, '$.delivery');
  const spec = read(() => validateDelivery(options ?? {}, 'The options') as SpecOf<typeof sinkDeliverySchema>);
  const minDelayMs = ms('retry.minDelay', spec.retry.minDelay, { least: 0, most: day });
  const maxDelayMs = ms('retry.maxDelay', spec.retry.maxDelay, { least: 1, most: day });
  if (maxDelayMs < minDelayMs)
    throw refuse(
      `$.delivery.retry.maxDelay: expected at least retry.minDelay, ${spec.retry.minDelay}, found ${showText(spec.retry.maxDelay)}`,
    );
  return {
    attemptTimeoutMs: ms('attemptTimeout', spec.attemptTimeout, { least: 1, most: day }),
    deadlineMs: ms('deadline', spec.deadline, { least: 1, most: day }),
    abortGraceMs: ms('abortGrace', spec.abortGrace, { least: 1, most: day }),
    closeTimeoutMs: ms('closeTimeout', spec.closeTimeout, { least: 1, most: day }),
    concurrentExports: spec.concurrentExports,
    retry: { retries: spec.retry.retries, minDelayMs, maxDelayMs, factor: spec.retry.factor },
    breaker: {
      failures: spec.breaker.failures,
      openForMs: ms('breaker.openFor', spec.breaker.openFor, { least: 1, most: day }),
      forbiddenOpenForMs: ms('breaker.forbiddenOpenFor', spec.breaker.forbiddenOpenFor, { least: 1, most: day }),
    },
  };
}

/** Throws SPEC_INVALID naming the inventory and the field. */
export function resolvePace(options: unknown, inventory: string): Pace {
  if (options === undefined) return defaultPace;
  const { read, ms } = reader(`The delivery options of inventory ${inventory}`, '$.delivery');
  const spec = read(() => validatePace(options, 'The options') as SpecOf<typeof paceSchema>);
  return {
    exportMinIntervalMs: ms('exportMinInterval', spec.exportMinInterval, { least: 0, most: 20 * day }),
    minChangeIntervalMs: ms('minChangeInterval', spec.minChangeInterval, { least: 0, most: 20 * day }),
  };
}

export const defaultPace: Pace = Object.freeze(resolvePace({}, ''));

export function resolveLimits(options: unknown): SpecOf<typeof limitsSchema> {
  return reader('The limits of the exporter', '$.limits').read(
    () => validateLimits(options ?? {}, 'The options') as SpecOf<typeof limitsSchema>,
  );
}

/** Milliseconds of the one duration that `close` takes. */
export function resolveDeadline(deadline: string): number {
  return reader('The options of close', '$').ms('deadline', deadline, { least: 0, most: day });
}

interface Bounds {
  readonly least: number;
  readonly most: number;
}

function reader(subject: string, root: string) {
  // Validation begins its messages with the name of a sink type; here the subject is another one.
  const refuse = (problem: string): SinkError =>
    new SinkError('SPEC_INVALID', `${subject} are invalid: ${problem.replace(/\.?$/u, '.')}`, { operation: 'create' });
  const read = <T>(validate: () => T): T => {
    try {
      return validate();
    } catch (error) {
      throw SinkError.isInstance(error) ? refuse(error.message.replace('The options is invalid: ', '')) : error;
    }
  };
  const ms = (field: string, text: string, { least, most }: Bounds): number => {
    const path = `${root}.${field}`;
    const value = read(() => parseDuration(text, path));
    if (value >= least && value <= most) return value;
    const bounds = value < least ? `at least ${least}ms` : `at most ${most / 3_600_000}h`;
    throw refuse(`${path}: expected ${bounds}, found ${showText(text)}`);
  };
  return { refuse, read, ms };
}
