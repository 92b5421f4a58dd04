import type { Exporter } from '@kollect/core';
import type { ObjectName } from '../../api/kubernetes-api.ts';
import { sinkType } from '../../resources/resource-types.ts';
import type { StatusWriter } from '../../status/status-writer.ts';
import { sinksOfSpec } from '../inventories/removal.ts';
import { scopeName } from '../inventories/scope-name.ts';
import type { KollectWatch } from '../kollect-watches.ts';
import { sinkName, type SinkBook } from './sink-book.ts';
import { sinkStatus } from './sink-status.ts';

/** Keeps the exporter's sinks what KollectSink resources say, and tells in their status how they are. */
export interface SinkController {
  visit(of: ObjectName): Promise<void>;
}

export interface SinkControllerOptions {
  readonly book: SinkBook;
  readonly exporter: Pick<Exporter, 'status'>;
  readonly cluster: string | undefined;
  readonly sinks: KollectWatch;
  readonly inventories: KollectWatch;
  readonly status: StatusWriter;
  /** The sink became another one. */
  readonly onChanged: (of: ObjectName) => void;
}

export function createSinkController(options: SinkControllerOptions): SinkController {
  const { book, exporter, cluster, sinks, inventories, status, onChanged } = options;

  const writeStatus = async (of: ObjectName): Promise<void> => {
    const resource = sinks.get(of);
    if (resource === undefined || resource.metadata.deletionTimestamp !== undefined || !inventories.synced) return;
    const full = sinkName(of);
    const users = inventories
      .all()
      .filter((each) => each.metadata.namespace === of.namespace && sinksOfSpec(each['spec']).includes(of.name));
    const wanted = sinkStatus({
      generation: resource.metadata.generation,
      problem: book.problem(full),
      inventories: users.map(({ metadata }) => exporter.status({ ...scopeName(cluster, metadata), sinks: [full] })[0]),
      before: resource['status'],
    });
    await status.write(sinkType, resource, wanted);
  };

  return {
    visit: async (of) => {
      if (!sinks.synced) return;
      try {
        if (await book.update(of, sinks.get(of))) onChanged(of);
      } catch (error) {
        // The Secret cannot be read now: the status says so, and it is tried again.
        onChanged(of);
        await writeStatus(of);
        throw error;
      }
      await writeStatus(of);
    },
  };
}
