// A jest reporter: appends what happens to the file of KOLLECT_CI_RESULTS at once, for results.mjs to read.
import { appendFileSync } from 'node:fs';

const write = (event) => appendFileSync(process.env.KOLLECT_CI_RESULTS, `${JSON.stringify(event)}\n`);

/** A file may be part of several projects. */
const placeOf = ({ path, context }) => ({ file: path, project: context.config.displayName?.name ?? '' });

// jest asks for a default export.
// oxlint-disable-next-line import/no-default-export
export default class ResultsReporter {
  onRunStart({ numTotalTestSuites }) {
    write({ event: 'planned', files: numTotalTestSuites });
  }

  onTestFileStart(test) {
    write({ event: 'started', ...placeOf(test) });
  }

  onTestFileResult(test, { testResults, testExecError, failureMessage }) {
    const named = (status) => testResults.filter((result) => result.status === status).map((result) => result.fullName);
    const broken = testExecError || (testResults.length === 0 && failureMessage) ? true : undefined;
    write({ event: 'finished', ...placeOf(test), passed: named('passed'), failed: named('failed'), broken });
  }

  onRunComplete() {
    write({ event: 'complete' });
  }
}
