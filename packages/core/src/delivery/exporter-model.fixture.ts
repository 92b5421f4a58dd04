import { SinkError } from '../contract/errors/errors.ts';
import { formatScope } from '../contract/snapshot/scope.ts';
import type { ExportResult, KollectSink } from '../contract/sink.ts';
import { createSinkRegistry } from '../create-sink-registry.ts';
import { memorySink } from '../memory-sink.ts';
import { defineSink, type SinkDefinition } from '../registry/define-sink.ts';
import type { SinkContext } from '../registry/sink-context.ts';
import { failure, fakeSnapshot, type ManualClock } from './delivery.fixture.ts';
import type { RemovalOutcome } from './delivery-report.ts';
import { createExporter } from './exporter.ts';
import type { ExportInventory, Exporter } from './exporter-types.ts';

/** `lost`: the store has it, and its answer got lost. `hangs`: until it is aborted. `refuses`: says that the snapshot is at fault. */
export type StoreMood = 'well' | 'down' | 'lost' | 'hangs' | 'slow' | 'refuses' | 'forbidden';

export type ModelStep =
  | {
      readonly kind: 'export';
      readonly inventory: 0 | 1;
      readonly content: string;
      readonly age: number;
      readonly sinks: number;
      readonly allowDeletes: boolean;
    }
  | {
      readonly kind: 'remove';
      readonly inventory: 0 | 1;
      readonly age: number | 'whole-second';
      readonly sinks: number;
    }
  | { readonly kind: 'mood'; readonly sink: 0 | 1; readonly mood: StoreMood }
  | { readonly kind: 'advance'; readonly ms: number }
  /** `quiet`: every fault ends, and long enough passes. */
  | { readonly kind: 'abort' | 'quiet' }
  | { readonly kind: 'update' | 'drop'; readonly sink: 0 | 1 };

export interface ModelPace {
  readonly exportMinInterval: string;
  readonly minChangeInterval: string;
  readonly immaterial: boolean;
  readonly retries: number;
}

/** What the host asked of one sink for one inventory. */
interface Call {
  /** Undefined where the inventory is to be gone. */
  readonly content: string | undefined;
  readonly time: number;
  readonly caller: AbortController;
  told?: RemovalOutcome | SinkError;
  /** The store said that this one is at fault: nothing older need arrive. */
  refused?: true;
}

interface Held {
  readonly content: string | undefined;
  readonly time: number;
}

const sinkNames = ['left', 'right'] as const;
type SinkName = (typeof sinkNames)[number];
const nothing: ExportResult = {
  outcome: 'applied',
  counts: { inserted: 0, updated: 0, deleted: 0, unchanged: 0 },
  messages: 0,
  bytes: 0,
};

/** Two inventories, two sinks with stores whose mood changes, and a note of each call: what the stores have to hold follows from the notes alone. */
export class ExporterModel {
  readonly #clock: ManualClock;
  readonly #pace: ModelPace;
  readonly #exporter: Exporter;
  readonly #moods: Record<SinkName, StoreMood> = { left: 'slow', right: 'slow' };
  readonly #held = new Map<string, Held>();
  readonly #calls = new Map<string, Call[]>();
  readonly #newest: [number, number];
  /** What runs at each store, and where two did at once. */
  readonly #running = new Set<string>();
  readonly #crossed = new Set<string>();
  #revision = 0;
  readonly #background: Promise<unknown>[] = [];

  constructor(clock: ManualClock, pace: ModelPace) {
    this.#clock = clock;
    this.#pace = pace;
    this.#newest = [clock.now(), clock.now()];
    const definitions = sinkNames.map((name) => this.#faulty(name)) as unknown as readonly [SinkDefinition];
    this.#exporter = createExporter({ registry: createSinkRegistry(definitions), clock });
    for (const sink of sinkNames) this.#update(sink);
  }

  step(step: ModelStep): void {
    if (step.kind === 'export') this.#export(step);
    if (step.kind === 'remove') this.#remove(step);
    if (step.kind === 'mood') this.#moods[sinkNames[step.sink]] = step.mood;
    if (step.kind === 'update') this.#update(sinkNames[step.sink]);
    if (step.kind === 'drop') this.#drop(sinkNames[step.sink]);
    if (step.kind === 'abort') [...this.#calls.values()].flat().at(-1)?.caller.abort();
  }

  /** Every fault ends. */
  heal(): void {
    for (const sink of sinkNames) this.#moods[sink] = 'well';
  }

  pressure(): unknown {
    return this.#exporter.pressure();
  }

  async close(): Promise<void> {
    await this.#exporter.close();
    await Promise.all(this.#background);
  }

  /** What is wrong with the stores, in words; empty where each holds what was asked for last. */
  faults(): readonly string[] {
    const crossed = [...this.#crossed].map((key) => `${key} was written by two at once`);
    const wrong = [...this.#calls].flatMap(([key, calls]) => {
      const held = this.#held.get(key) ?? { content: undefined, time: 0 };
      const wanted = newestOf(calls.filter(({ told }) => !(SinkError.isInstance(told) && told.code === 'ABORTED')));
      const refused = newestOf(calls.filter(({ refused: isRefused }) => isRefused === true));
      if (wanted === undefined || wanted === refused || (refused !== undefined && refused.time >= wanted.time))
        return [];
      if (held.content === wanted.content || held.time > wanted.time) return [];
      // It took the place of the wanted one, and its caller gave up afterwards.
      const later = calls.slice(calls.indexOf(wanted) + 1);
      if (later.some(({ time, content }) => time === held.time && content === held.content)) return [];
      return [`${key} holds ${show(held)} and should hold ${show(wanted)}`];
    });
    return [...crossed, ...wrong];
  }

  #inventory(index: 0 | 1, sinks: number): ExportInventory {
    const { immaterial, exportMinInterval, minChangeInterval } = this.#pace;
    return {
      namespace: 'team',
      name: `i${index}`,
      sinks: sinkNames.filter((_, bit) => (sinks & (1 << bit)) !== 0),
      delivery: {
        exportMinInterval,
        minChangeInterval,
        ...(immaterial ? { isMaterialChange: () => false } : {}),
      },
    };
  }

  /** A time never seen before and newer than all, or one so much older; never of whole seconds. */
  #time(index: 0 | 1, age: number): number {
    if (age === 0) this.#newest[index] = Math.max(this.#newest[index] + 1, this.#clock.now());
    const time = this.#newest[index] - age;
    return time % 1000 === 0 ? time + 1 : time;
  }

  #note(
    index: 0 | 1,
    named: readonly string[],
    call: (sink: string, earlier: readonly Call[]) => Call,
  ): Map<string, Call> {
    const noted = new Map<string, Call>();
    for (const sink of sinkNames) {
      const key = `${sink} team/i${index}`;
      // An inventory that leaves a sink is owed nothing there.
      if (!named.includes(sink)) {
        this.#calls.delete(key);
        continue;
      }
      const calls = this.#calls.get(key) ?? [];
      const one = call(sink, calls);
      this.#calls.delete(key);
      this.#calls.set(key, [...calls, one]);
      noted.set(sink, one);
    }
    return noted;
  }

  #told(
    noted: ReadonlyMap<string, Call>,
    reports: readonly { sink: string; outcome: RemovalOutcome; error?: SinkError }[],
  ): void {
    for (const { sink, outcome, error } of reports) {
      const call = noted.get(sink);
      if (call !== undefined) call.told = error ?? outcome;
    }
  }

  #export({ inventory, content, age, sinks, allowDeletes }: Extract<ModelStep, { kind: 'export' }>): void {
    const to = this.#inventory(inventory, sinks);
    const caller = new AbortController();
    const time = this.#time(inventory, age);
    const noted = this.#note(inventory, to.sinks, () => ({ content, time, caller }));
    const snapshot = fakeSnapshot(content, 0, { inventoryName: to.name, exportedAt: new Date(time).toISOString() });
    const ended = this.#exporter
      .export(to, snapshot, { signal: caller.signal, allowDeletes })
      .then((report) => this.#told(noted, report.sinks));
    this.#background.push(ended);
  }

  #remove({ inventory, age, sinks }: Extract<ModelStep, { kind: 'remove' }>): void {
    const to = this.#inventory(inventory, sinks);
    const caller = new AbortController();
    const time = age === 'whole-second' ? Math.floor(this.#clock.now() / 1000) * 1000 : this.#time(inventory, age);
    // It wins over every export that the host asked for before.
    const effective = (calls: readonly Call[]): number =>
      age === 'whole-second' ? Math.max(time, ...calls.filter(isExport).map((call) => call.time + 1)) : time;
    const noted = this.#note(inventory, to.sinks, (_, calls) => ({
      content: undefined,
      time: effective(calls),
      caller,
    }));
    const ended = this.#exporter
      .removeInventory(to, { removedAt: new Date(time).toISOString(), signal: caller.signal })
      .then((report) => this.#told(noted, report.sinks));
    this.#background.push(ended);
  }

  #update(sink: SinkName): void {
    this.#revision += 1;
    this.#exporter.updateSink({
      name: sink,
      config: { type: sink, [sink]: {} },
      revision: String(this.#revision),
      delivery: {
        attemptTimeout: '2s',
        deadline: '5s',
        retry: { retries: this.#pace.retries },
        breaker: { failures: 3, openFor: '10s', forbiddenOpenFor: '20s' },
      },
    });
  }

  #drop(sink: SinkName): void {
    for (const key of this.#calls.keys()) if (key.startsWith(sink)) this.#calls.delete(key);
    this.#background.push(this.#exporter.removeSink(sink));
    this.#update(sink);
  }

  #faulty(type: SinkName): SinkDefinition {
    const memory = memorySink({ now: () => new Date(this.#clock.now()) });
    const wrap = (sink: KollectSink): KollectSink => ({
      ...sink,
      export: (snapshot, options) => {
        const { checksum: content, exportedAt } = snapshot;
        return this.#attempt(
          type,
          formatScope(snapshot),
          { content, time: Date.parse(exportedAt) },
          options.signal,
          () => sink.export(snapshot, options),
        );
      },
      removeInventory: (scope, options) => {
        const state = { content: undefined, time: Date.parse(options.removedAt) };
        return this.#attempt(type, formatScope(scope), state, options.signal, async () =>
          sink.removeInventory === undefined ? nothing : sink.removeInventory(scope, options),
        );
      },
    });
    return {
      ...defineSink({
        ...memory,
        type,
        create: (context: SinkContext<never>) => wrap(memory.create(context)),
      } as never),
    };
  }

  async #attempt(
    sink: SinkName,
    scope: string,
    state: Held,
    signal: AbortSignal,
    write: () => Promise<ExportResult>,
  ): Promise<ExportResult> {
    const key = `${sink} ${scope}`;
    if (this.#running.has(key)) this.#crossed.add(key);
    this.#running.add(key);
    try {
      return await this.#write(sink, scope, state, signal, write);
    } finally {
      this.#running.delete(key);
    }
  }

  async #write(
    sink: SinkName,
    scope: string,
    state: Held,
    signal: AbortSignal,
    write: () => Promise<ExportResult>,
  ): Promise<ExportResult> {
    const key = `${sink} ${scope}`;
    const mood = this.#moods[sink];
    const apply = async (): Promise<ExportResult> => {
      const result = await write();
      if (result.outcome !== 'superseded' && (this.#held.get(key)?.time ?? 0) <= state.time) this.#held.set(key, state);
      return result;
    };
    if (mood === 'down') throw failure('UNAVAILABLE');
    if (mood === 'forbidden') throw failure('PERMISSION_DENIED');
    if (mood === 'refuses' && state.content !== undefined) {
      for (const call of this.#calls.get(key) ?? []) if (call.time === state.time) call.refused = true;
      throw failure('CONFLICT');
    }
    if (mood === 'hangs' || mood === 'slow') await this.#pause(mood === 'slow' ? 500 : undefined, signal);
    const result = await apply();
    if (mood === 'lost') throw failure('TIMEOUT');
    return result;
  }

  #pause(ms: number | undefined, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = ms === undefined ? undefined : this.#clock.setTimeout(resolve, ms);
      const onAbort = (): void => {
        this.#clock.clearTimeout(timer);
        const timedOut = (signal.reason as Error | undefined)?.name === 'TimeoutError';
        reject(failure(timedOut ? 'TIMEOUT' : 'ABORTED'));
      };
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}

function isExport({ content }: Call): boolean {
  return content !== undefined;
}

function newestOf(calls: readonly Call[]): Call | undefined {
  let newest: Call | undefined;
  for (const call of calls) if (newest === undefined || call.time >= newest.time) newest = call;
  return newest;
}

function show({ content, time }: Held): string {
  return `${content ?? 'nothing'} of ${time === 0 ? 'never' : new Date(time).toISOString()}`;
}
