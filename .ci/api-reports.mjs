// The public surface of every package as a checked-in report, so that a change of it is seen in review.
//   api-reports.mjs            fails where a report differs from the code
//   api-reports.mjs --update   writes the reports
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';
import { packages, root } from './packages.mjs';

const update = process.argv.includes('--update');
const scratch = mkdtempSync(join(tmpdir(), 'kollect-api-'));
const wrong = [];

try {
  for (const { folder, entries } of packages) {
    const expected = new Set(entries.map(({ subpath }) => reportName(subpath)));
    for (const { subpath, types } of entries) check(folder, join(folder, types), reportName(subpath));
    const orphans = readdirSync(folder).filter((file) => /^api(-.*)?\.md$/.test(file) && !expected.has(file));
    for (const orphan of orphans) {
      if (update) rmSync(join(folder, orphan));
      else wrong.push(`${relative(root, join(folder, orphan))} belongs to no entry point`);
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
if (wrong.length > 0) {
  console.error(wrong.join('\n'));
  console.error('\nthe public API changed: run `npx -y pnpm@12.21.0 api:update` and review the diff');
  process.exit(1);
}

/** `.` has api.md, `./prometheus` has api-prometheus.md. */
function reportName(subpath) {
  return ['api', ...subpath.split('/').slice(1)].join('-').concat('.md');
}

function check(folder, entryPoint, name) {
  const report = join(folder, name);
  const shown = relative(root, report);
  const current = extract(folder, entryPoint);
  if (current === undefined) {
    wrong.push(`${shown} could not be made`);
  } else if (update) {
    writeFileSync(report, current);
  } else if (!existsSync(report)) {
    wrong.push(`${shown} is missing`);
  } else if (readFileSync(report, 'utf8').replaceAll('\r\n', '\n') === current) {
    console.log(`${shown} is up to date`);
  } else {
    const made = join(scratch, 'current.md');
    writeFileSync(made, current);
    spawnSync('git', ['--no-pager', 'diff', '--no-index', '--no-color', report, made], { stdio: 'inherit' });
    wrong.push(`${shown} differs from the code`);
  }
}

/** The report of one entry point, or undefined where api-extractor found errors, which it has printed then. */
function extract(folder, entryPoint) {
  const output = join(scratch, 'report');
  mkdirSync(output, { recursive: true });
  const quiet = { logLevel: ExtractorLogLevel.None, addToApiReportFile: false };
  const extractorConfig = ExtractorConfig.prepare({
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: entryPoint,
      newlineKind: 'lf',
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'es2023',
            lib: ['es2023'],
            module: 'nodenext',
            moduleResolution: 'nodenext',
            strict: true,
            types: ['node'],
            skipLibCheck: true,
          },
          files: [entryPoint],
        },
      },
      apiReport: { enabled: true, reportFileName: 'api', reportFolder: output, reportTempFolder: output },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.Error },
          'ae-forgotten-export': { logLevel: ExtractorLogLevel.None, addToApiReportFile: true },
          'ae-missing-release-tag': quiet,
          'ae-undocumented': quiet,
          'ae-unresolved-link': quiet,
        },
        tsdocMessageReporting: { default: quiet },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(folder, 'package.json'),
  });
  const { errorCount } = Extractor.invoke(extractorConfig, { localBuild: true, messageCallback: hideProgress });
  return errorCount > 0 ? undefined : readFileSync(join(output, 'api.api.md'), 'utf8');
}

/** Everything but errors is noise here: the report is compared by us, and its compiler is older than the workspace's on purpose. */
function hideProgress(message) {
  if (message.logLevel !== ExtractorLogLevel.Error) message.handled = true;
}
