import { Document, visit } from 'yaml';
import type { CustomResourceDefinition } from './generate-crds.ts';

const head =
  '# Made by kollect-crds: apply it with kubectl apply --server-side, which has no limit for the size of a definition.';

/** The CRDs as one file of YAML documents. */
export function formatCrds(definitions: readonly CustomResourceDefinition[]): string {
  return `${head}\n${definitions.map((definition) => `---\n${formatYaml(definition)}`).join('')}`;
}

/** Data as YAML that every reader takes for the same: kubectl reads YAML 1.1, to which `on` and `y` are no texts, others 1.2, to which `0o7` is none. */
function formatYaml(data: unknown): string {
  const document = new Document(data, { version: '1.1', aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (_, node) => {
      if (typeof node.value === 'string' && /^[-+]?0o/iu.test(node.value)) node.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString({ lineWidth: 140, defaultStringType: 'PLAIN' });
}
