import { createOperator, type Operator, type OperatorOptions } from '@kollect/kubernetes';

/** A resource of our own: the namespaces of a team. */
interface Team {
  readonly metadata: { readonly name: string };
  readonly spec?: { readonly namespaces?: readonly string[] };
}

const attributes = { replicas: '.spec.replicas', images: '.spec.template.spec.containers[*].image' };

export function teamOperator(options: OperatorOptions): Operator {
  const operator = createOperator(options);
  operator.inventories(({ inventory, collect, watch }) => {
    const teams = watch({ apiVersion: 'example.dev/v1', kind: 'Team', namespace: inventory.namespace });
    for (const { metadata, spec } of teams.objects() as readonly Team[])
      for (const namespace of spec?.namespaces ?? [])
        collect({ name: metadata.name, attributes }, watch({ apiVersion: 'apps/v1', kind: 'Deployment', namespace }));
  });
  return operator;
}
