import { createSinkLimits } from '@kollect/core';

export const { limitedBy, endedBySignal } = createSinkLimits('postgres');
