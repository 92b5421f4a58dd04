import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** One test file that goes on for as long as KOLLECT_FUZZ_MINUTES says. */
export interface FuzzSuite {
  /** Its file without folder and ending: `exporter-model`. */
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  readonly project: 'unit' | 'integration';
  /** How many of its tests do so, one after the other. */
  readonly tests: number;
}

const places = ['packages', 'examples', 'test-integration'];

/** Every test file that uses `fuzz` or `fuzzProperty`, by name. */
export function findFuzzSuites(root: string): readonly FuzzSuite[] {
  return places
    .flatMap((place) => readdirSync(join(root, place), { recursive: true }).map((path) => join(place, String(path))))
    .filter((path) => path.endsWith('.test.ts') && !/\/(?:node_modules|dist)\//u.test(path))
    .flatMap((file): FuzzSuite[] => {
      const tests = readFileSync(join(root, file), 'utf8').match(/\bfuzz(?:Property)?\(/gu)?.length ?? 0;
      if (tests === 0) return [];
      const name = basename(file).replace(/(?:\.fuzz)?\.test\.ts$/u, '');
      return [{ name, file, project: file.startsWith('test-integration') ? 'integration' : 'unit', tests }];
    })
    .toSorted((a, b) => a.name.localeCompare(b.name));
}
