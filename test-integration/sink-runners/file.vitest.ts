import { afterAll, test } from 'vitest';
import { registerConformanceTests } from '@kollect/sink-testkit';
import { fileHarness } from '../../examples/file-sink/src/file-harness.fixture.ts';

registerConformanceTests({ test, ...fileHarness(afterAll) });
