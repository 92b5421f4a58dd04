import { test } from 'vitest';
import { registerConformanceTests } from '@kollect/sink-testkit';
import { webhookHarness } from '../../examples/webhook-sink/src/webhook-harness.fixture.ts';

registerConformanceTests({ test, ...webhookHarness() });
