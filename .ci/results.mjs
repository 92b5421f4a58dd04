// Reads what results-reporter.mjs wrote.
//   results.mjs retry FIRST            the test files worth a second attempt, one per line
//   results.mjs count FIRST [SECOND]   "passed failed" on the first line, then a line for each test that failed or needed the second attempt
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

const [command, ...files] = process.argv.slice(2);
const [first, second] = files.map(readRun);

if (command === 'retry')
  process.stdout.write(
    filesToRetry(first)
      .map((file) => `${file}\n`)
      .join(''),
  );
else process.stdout.write(`${count(first, second).join('\n')}\n`);

/** Files by path, how many jest planned, and whether it came to its end. */
function readRun(file) {
  const run = { planned: 0, complete: false, files: new Map() };
  if (!existsSync(file)) return run;
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const entry = parseLine(line);
    if (entry?.event === 'planned') run.planned = entry.files;
    else if (entry?.event === 'started') run.files.set(entry.file, { passed: [], failed: [], broken: true });
    else if (entry?.event === 'finished') run.files.set(entry.file, entry);
    else if (entry?.event === 'complete') run.complete = true;
  }
  return run;
}

/** A run that was killed may leave half a line. */
function parseLine(line) {
  try {
    return line === '' ? undefined : JSON.parse(line);
  } catch {
    return undefined;
  }
}

function filesToRetry(run) {
  return [...run.files].filter(([, { failed, broken }]) => broken || failed.length > 0).map(([file]) => file);
}

function count(firstRun, secondRun) {
  const notes = [];
  let passed = 0;
  let failed = 0;
  for (const [file, before] of firstRun.files) {
    const name = relative(process.cwd(), file);
    const again = secondRun?.files.get(file);
    const rescued = again === undefined || again.broken ? [] : again.passed;
    const late = before.broken ? rescued : before.failed.filter((test) => rescued.includes(test));
    const lost = before.broken ? (again?.failed ?? []) : before.failed.filter((test) => !rescued.includes(test));
    passed += (before.broken ? 0 : before.passed.length) + late.length;
    failed += lost.length;
    notes.push(...late.map((test) => `passed at the second attempt: ${name}: ${test}`));
    notes.push(...lost.map((test) => `failed: ${name}: ${test}`));
    if (before.broken && (again === undefined || again.broken)) {
      failed += 1;
      notes.push(`failed: ${name}: the file did not run to its end`);
    }
  }
  const never = firstRun.planned - firstRun.files.size;
  if (never > 0) {
    failed += never;
    notes.push(`failed: ${never} test files never started`);
  }
  if (firstRun.planned === 0) {
    failed += 1;
    notes.push('failed: no test ran');
  } else if (!firstRun.complete && never === 0) {
    failed += 1;
    notes.push('failed: jest did not come to its end');
  }
  return [`${passed} ${failed}`, ...notes];
}
