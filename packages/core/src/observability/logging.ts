export type { DeliveryLogger, LogFields } from '../contract/logger.ts';
