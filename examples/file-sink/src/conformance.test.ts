import { afterAll, test } from '@jest/globals';
import { registerConformanceTests } from '@kollect/sink-testkit';
import { fileHarness } from './file-harness.fixture.ts';

registerConformanceTests({ test, ...fileHarness(afterAll) });
