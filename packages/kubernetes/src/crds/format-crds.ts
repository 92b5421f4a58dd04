import { stringify } from 'yaml';
import type { CustomResourceDefinition } from './generate-crds.ts';

/** The CRDs as one file of YAML documents. */
export function formatCrds(definitions: readonly CustomResourceDefinition[]): string {
  const documents = definitions.map((definition) =>
    stringify(definition, { lineWidth: 140, aliasDuplicateObjects: false, defaultStringType: 'PLAIN' }),
  );
  return `# Made by kollect-crds: apply it with kubectl apply --server-side, which has no limit for the size of a definition.\n${documents.map((document) => `---\n${document}`).join('')}`;
}
