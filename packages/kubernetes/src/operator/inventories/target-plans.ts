import { SinkError, type DeliveryLogger } from '@kollect/core';
import type { ObjectName } from '../../api/kubernetes-api.ts';
import type { ParsedInventory } from '../../resources/parse-resources.ts';
import { targetType } from '../../resources/resource-types.ts';
import { because, causeOf, judge } from '../../status/conditions.ts';
import type { StatusWriter } from '../../status/status-writer.ts';
import type { KollectWatch } from '../kollect-watches.ts';
import type { PlannedTarget } from './collection.ts';
import { readTarget, type ReadTargetOptions } from './read-target.ts';

/** What KollectTarget resources ask for. */
export interface TargetPlans {
  /** Undefined while it is not known which targets and profiles there are. */
  planOf(inventory: ParsedInventory): readonly PlannedTarget[] | undefined;
  /** Writes the status of a target. */
  visit(of: ObjectName): Promise<void>;
}

export interface TargetPlansOptions extends Pick<ReadTargetOptions, 'otherNamespaces'> {
  readonly targets: KollectWatch;
  readonly profiles: KollectWatch;
  readonly status: StatusWriter;
  readonly logger: DeliveryLogger;
}

export function createTargetPlans({
  targets,
  profiles,
  status,
  logger,
  otherNamespaces,
}: TargetPlansOptions): TargetPlans {
  const options: ReadTargetOptions = { otherNamespaces, getProfile: (of) => profiles.get(of) };

  const plan = (target: Required<ObjectName>): PlannedTarget => {
    const resource = targets.get(target);
    const missing: PlannedTarget = { target, attributes: {}, from: [], missing: true };
    if (resource === undefined) return missing;
    try {
      return readTarget(resource, options);
    } catch {
      // Its own status says why.
      return missing;
    }
  };

  return {
    planOf: ({ namespace, spec }) =>
      targets.synced && profiles.synced ? spec.targetRefs.map(({ name }) => plan({ namespace, name })) : undefined,
    visit: async (of) => {
      const resource = targets.get(of);
      if (resource === undefined || resource.metadata.deletionTimestamp !== undefined || !profiles.synced) return;
      const { generation } = resource.metadata;
      let ready = judge('Ready', 'True', because('Accepted'));
      try {
        readTarget(resource, options);
      } catch (error) {
        logger.warn({ namespace: of.namespace, name: of.name }, SinkError.from(error).message);
        ready = judge('Ready', 'False', causeOf(error));
      }
      const observed = generation === undefined ? {} : { observedGeneration: generation };
      await status.write(targetType, resource, { ...observed, conditions: [ready] });
    },
  };
}
