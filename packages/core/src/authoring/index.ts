// What any sink needs, once: for the authors of sinks.
export { createOperations, type OperationLimits, type Operations, type OperationsOptions } from './operations.ts';
export type { Classify, OperationScope, StepLimits } from './operation-scope.ts';
export { formatServerAddress, type ServerAddress } from './server-address.ts';
