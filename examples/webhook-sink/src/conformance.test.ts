import { test } from '@jest/globals';
import { registerConformanceTests } from '@kollect/sink-testkit';
import { webhookHarness } from './webhook-harness.fixture.ts';

registerConformanceTests({ test, ...webhookHarness() });
