import type { SinkRegistry } from '@kollect/core';
import { stringify } from 'yaml';
import { generateAdmissionPolicy } from '../../packages/kubernetes/src/index.ts';

/** The admission policy of the sinks and its binding, as a file for kubectl. */
export function renderPolicy(registry: SinkRegistry): string {
  const { policy, binding } = generateAdmissionPolicy({ registry });
  const documents = [policy, binding].map((object) =>
    stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }),
  );
  return `# Made by npx -y pnpm@12.21.0 docs:update: what no KollectSink may say, checked by the API server itself.\n---\n${documents.join('---\n')}`;
}
