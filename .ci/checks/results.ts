import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

/** What a check counted, and a line for each thing that failed. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly failures: readonly string[];
}

interface TestFile {
  readonly passed: readonly string[];
  readonly failed: readonly string[];
  /** It did not run to its end. */
  readonly broken?: boolean;
}

/** A file may be part of several projects. */
interface Place {
  readonly file: string;
  readonly project?: string;
}

type Event =
  | { readonly event: 'planned'; readonly files: number }
  | ({ readonly event: 'started' } & Place)
  | ({ readonly event: 'finished' } & Place & TestFile)
  | { readonly event: 'complete' };

/** Counts what `results-reporter.mjs` wrote; a run that was cut short counts as failed, as far as it did not come. */
export function countTests(path: string): Counts {
  let planned = 0;
  let complete = false;
  const files = new Map<string, TestFile>();
  for (const event of readEvents(path)) {
    if (event.event === 'planned') planned = event.files;
    else if (event.event === 'started') files.set(nameOf(event), { passed: [], failed: [], broken: true });
    else if (event.event === 'finished') files.set(nameOf(event), event);
    else complete = true;
  }
  const failures: string[] = [];
  let passed = 0;
  for (const [name, result] of files) {
    passed += result.passed.length;
    failures.push(...result.failed.map((test) => `${name}: ${test}`));
    if (result.broken === true) failures.push(`${name}: the file did not run to its end`);
  }
  const never = planned - files.size;
  if (never > 0) failures.push(...Array.from({ length: never }, () => 'a test file never started'));
  if (planned === 0) failures.push('no test ran');
  else if (!complete && failures.length === 0) failures.push('jest did not come to its end');
  return { passed, failed: failures.length, failures };
}

function nameOf({ file, project = '' }: Place): string {
  return `${project} ${relative(process.cwd(), file)}`.trim();
}

function readEvents(path: string): readonly Event[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as Event];
    } catch {
      // A run that was killed may leave half a line.
      return [];
    }
  });
}
