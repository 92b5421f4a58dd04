import { cpus, loadavg, totalmem } from 'node:os';

/** The machine in one line: what a figure means nothing without. */
export function describeMachine(): string {
  const processors = cpus();
  const model = processors[0]?.model.trim() ?? 'unknown processor';
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  return `${processors.length} × ${model}, ${gibibytes} GiB, ${process.platform} ${process.arch}, Node ${process.version}`;
}

/** Load of the last minute: how much else was going on. */
export function currentLoad(): number {
  return loadavg()[0] ?? 0;
}
