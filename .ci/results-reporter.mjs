// A jest reporter: appends what happens to the file of KOLLECT_CI_RESULTS at once, for results.mjs to read.
import { appendFileSync } from 'node:fs';

const write = (event) => appendFileSync(process.env.KOLLECT_CI_RESULTS, `${JSON.stringify(event)}\n`);

// jest asks for a default export.
// oxlint-disable-next-line import/no-default-export
export default class ResultsReporter {
  onRunStart({ numTotalTestSuites }) {
    write({ event: 'planned', files: numTotalTestSuites });
  }

  onTestFileStart({ path }) {
    write({ event: 'started', file: path });
  }

  onTestFileResult({ path }, { testResults, testExecError, failureMessage }) {
    const named = (status) => testResults.filter((result) => result.status === status).map((result) => result.fullName);
    const broken = testExecError || (testResults.length === 0 && failureMessage) ? true : undefined;
    write({ event: 'finished', file: path, passed: named('passed'), failed: named('failed'), broken });
  }

  onRunComplete() {
    write({ event: 'complete' });
  }
}
