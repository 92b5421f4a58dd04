import { parseArgs } from 'node:util';
import type { BenchOptions } from './bench-options.ts';
import { runDeliveryBench } from './delivery/run.ts';
import { cases } from './kafka/cases.ts';
import { runKafkaBench } from './kafka/run.ts';
import { runNatsBench } from './nats/run.ts';
import { runPostgresBench } from './postgres/run.ts';
import { runSealBench } from './seal/run.ts';

const benches: Readonly<Record<string, (options: BenchOptions) => Promise<void>>> = {
  postgres: runPostgresBench,
  kafka: runKafkaBench,
  nats: runNatsBench,
  delivery: runDeliveryBench,
  seal: runSealBench,
};

const usage = `usage: pnpm bench <${Object.keys(benches).join(' | ')}> [--rounds N] [--json]
  postgres and seal also take --items 2000,10000,100000, or up to 1000000; kafka takes --cases with names of ${cases.map(({ name }) => name).join(', ')}`;

function positiveInteger(option: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`--${option} expects positive integers, found "${text}".\n${usage}`);
}

function readArguments(args: string[]): { name: string; options: BenchOptions } {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      items: { type: 'string' },
      rounds: { type: 'string' },
      cases: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const sizes = values.items?.split(',').map((size) => positiveInteger('items', size));
  const rounds = values.rounds === undefined ? undefined : positiveInteger('rounds', values.rounds);
  return {
    name: positionals[0] ?? '',
    options: { sizes: sizes?.sort((a, b) => a - b), json: values.json, rounds, cases: values.cases?.split(',') },
  };
}

try {
  const { name, options } = readArguments(process.argv.slice(2));
  const bench = benches[name];
  if (bench === undefined) throw new Error(usage);
  await bench(options);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
