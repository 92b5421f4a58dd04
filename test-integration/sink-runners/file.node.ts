import { after, test } from 'node:test';
import { registerConformanceTests } from '@kollect/sink-testkit';
import { fileHarness } from '../../examples/file-sink/src/file-harness.fixture.ts';

registerConformanceTests({ test, ...fileHarness(after) });
