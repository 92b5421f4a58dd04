// Packs every package and uses the tarballs as a stranger would: in an empty npm project, outside this workspace, on a real PostgreSQL, Kafka and NATS.
//   KOLLECT_CHECK_DSN   the PostgreSQL to use; otherwise one is started
//   KOLLECT_NODE        the Node that the consumers run on, where it is not the one of the devDependencies
//   KOLLECT_CI_RESULTS  a file that gets `{"passed":…,"failed":…,"failures":[names]}`
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packages, root } from './packages.mjs';

const node = process.env.KOLLECT_NODE || process.execPath;
const bin = (tool) => join(root, 'node_modules/.bin', tool);
const { packageManager, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const scratch = mkdtempSync(join(tmpdir(), 'kollect-packages-'));
const consumer = join(scratch, 'consumer');
const counts = { passed: 0, failed: 0, failures: [] };
const optionalModules = ['snappy', 'lz4-napi', 'pg-native'];

try {
  const tarballs = [];
  for (const pack of packages) {
    const tarball = join(scratch, `${pack.name.replace(/^@/, '').replace('/', '-')}.tgz`);
    const packed = await check(`${pack.name} packs`, () =>
      run(scratch, 'npx', ['-y', packageManager, '-C', pack.folder, 'pack', '--out', tarball]),
    );
    if (!packed) continue;
    tarballs.push(tarball);
    await check(`${pack.name} holds what it should`, () => checkContents(pack, tarball));
    await check(`${pack.name} publint`, () => run(root, bin('publint'), ['run', tarball, '--strict']));
    await check(`${pack.name} attw`, () => run(root, bin('attw'), [tarball, '--profile', 'esm-only']));
  }
  if (await check('npm installs them into an empty project', () => install(tarballs))) await useThem();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
console.log(`${counts.passed} package checks passed, ${counts.failed} failed`);
if (process.env.KOLLECT_CI_RESULTS) writeFileSync(process.env.KOLLECT_CI_RESULTS, JSON.stringify(counts));
// A harness that leaves a handle open must not hold the checks up.
process.exit(counts.failed > 0 ? 1 : 0);

/** Runs one check: what it throws is printed below its line. */
async function check(name, work) {
  try {
    await work();
    counts.passed += 1;
    console.log(`passed: ${name}`);
    return true;
  } catch (error) {
    counts.failed += 1;
    counts.failures.push(name);
    console.log(`failed: ${name}\n${String(error?.message ?? error).replaceAll(/^/gm, '    ')}`);
    return false;
  }
}

/** The standard output of a command; throws with all it printed when it fails, or has not ended after two minutes. */
function run(cwd, command, args, env = {}) {
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: 120_000,
    killSignal: 'SIGKILL',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0) return stdout;
  const ending =
    error?.code === 'ETIMEDOUT' ? 'did not end by itself' : (error?.message ?? `ended with ${signal ?? status}`);
  throw new Error(`${command} ${args.join(' ')} ${ending}\n${stdout ?? ''}${stderr ?? ''}`.trim());
}

function checkContents({ entries, manifest }, tarball) {
  const files = run(scratch, 'tar', ['-tzf', tarball])
    .split('\n')
    .filter(Boolean)
    .map((file) => file.replace(/^package\//, ''));
  const targets = entries
    .flatMap(({ subpath, types }) => [types, manifest.exports[subpath].default])
    .map((file) => file.replace(/^\.\//, ''));
  const missing = ['package.json', 'README.md', 'LICENSE', ...targets].filter((file) => !files.includes(file));
  const unwanted = files.filter((file) => /\.(test|fixture)\.|\.tsbuildinfo$|(^|\/)node_modules\/|\.tgz$/.test(file));
  const packedManifest = run(scratch, 'tar', ['-xzOf', tarball, 'package/package.json']);
  const complaints = [
    ...missing.map((file) => `${file} is missing`),
    ...unwanted.map((file) => `${file} does not belong there`),
    ...(packedManifest.includes('"workspace:')
      ? ['package.json names a workspace: version, which npm cannot install']
      : []),
  ];
  if (complaints.length > 0) throw new Error(complaints.join('\n'));
}

function install(tarballs) {
  mkdirSync(consumer);
  writeFileSync(join(consumer, 'package.json'), '{"name":"consumer","private":true}\n');
  const types = `@types/node@${devDependencies['@types/node']}`;
  run(consumer, 'npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...tarballs, types]);
  cpSync(join(root, '.ci/consumer'), consumer, { recursive: true });
}

async function useThem() {
  const entries = packages.flatMap(({ entries }) => entries);
  // First without what a user need not have.
  await loadEntries(
    entries.filter(({ subpath }) => subpath === '.'),
    'alone',
  );
  if (!(await check('npm installs the optional peers', installPeers))) return;
  await loadEntries(entries, 'with its peers');
  // TypeScript's own module detection would call the output CommonJS without this.
  const compiled = await check('TypeScript compiles against them', () => {
    writeFileSync(
      join(consumer, 'package.json'),
      readFileSync(join(consumer, 'package.json'), 'utf8').replace('{', '{"type":"module",'),
    );
    run(consumer, bin('tsc'), ['-p', 'tsconfig.json']);
  });
  await check('kollect-crds makes the CRDs that the package holds', () => {
    const sinks = packages.map(({ name }) => name).filter((name) => /sink-(?!testkit)/.test(name));
    // In the order of the file, whichever order the folders have.
    const wanted = ['@kollect/sink-postgres', '@kollect/sink-kafka', '@kollect/sink-nats'];
    if (sinks.length !== wanted.length || !sinks.every((name) => wanted.includes(name)))
      throw new Error(`crds:update knows ${wanted.join(', ')}, and there are ${sinks.join(', ')}`);
    const made = run(consumer, join(consumer, 'node_modules/.bin/kollect-crds'), wanted);
    const held = readFileSync(join(consumer, 'node_modules/@kollect/kubernetes/crds/kollect.dev.yaml'), 'utf8');
    if (made !== held) throw new Error('they differ: run `npx -y pnpm@12.21.0 crds:update`');
  });
  await withServers(async (servers) => {
    await check('JavaScript exports into PostgreSQL, Kafka and NATS', () =>
      exportWith(servers, 'index.mjs', 'from_esm'),
    );
    await check('CommonJS exports into PostgreSQL, Kafka and NATS', () => exportWith(servers, 'index.cjs', 'from_cjs'));
    for (const { bundle, name } of await makeBundles())
      await check(`${name} exports into PostgreSQL, Kafka and NATS`, () =>
        exportWith(servers, bundle, name.replaceAll(/\W/g, '_').toLowerCase()),
      );
    if (compiled)
      await check('TypeScript exports into PostgreSQL, Kafka and NATS', () =>
        exportWith(servers, 'compiled/index.js', 'from_typescript'),
      );
  });
}

/** The consumer as one file, made by the bundlers that operators are shipped with, in both module formats. */
async function makeBundles() {
  // What is CommonJS inside of an ES module asks for Node's own modules by `require`.
  const banner =
    "import { createRequire as requireFor } from 'node:module'; const require = requireFor(import.meta.url);";
  const esbuild = (entry, format, out) =>
    run(consumer, bin('esbuild'), [
      entry,
      '--bundle',
      '--platform=node',
      '--target=node22',
      `--format=${format}`,
      ...(format === 'esm' ? [`--banner:js=${banner}`] : []),
      // Native, optional, and never loaded by what does not use them.
      ...optionalModules.map((name) => `--external:${name}`),
      `--outfile=${out}`,
    ]);
  const webpack = (entry, format, out) => {
    const esm = format === 'esm';
    const config = `export default {
      mode: 'production', target: 'node22', entry: ${JSON.stringify(`./${entry}`)}, experiments: { outputModule: ${esm} },
      externalsType: 'node-commonjs',
      externals: ${JSON.stringify(optionalModules)}, optimization: { minimize: false }, performance: false,
      output: { path: ${JSON.stringify(consumer)}, filename: ${JSON.stringify(out)}, ${esm ? "library: { type: 'module' }," : ''} },
    };`;
    writeFileSync(join(consumer, 'webpack.config.mjs'), config);
    run(root, bin('webpack'), ['--config', join(consumer, 'webpack.config.mjs'), '--context', consumer]);
  };
  const made = [];
  for (const [bundler, make] of Object.entries({ esbuild, webpack })) {
    for (const [format, entry, out] of [
      ['cjs', 'index.cjs', `${bundler}.cjs`],
      ['esm', 'bundled.mjs', `${bundler}.mjs`],
    ]) {
      const name = `${bundler} ${format}`;
      if (await check(`${name} bundles`, () => make(entry, format, out))) made.push({ name, bundle: out });
    }
  }
  return made;
}

async function loadEntries(entries, how) {
  for (const { specifier } of entries) {
    const name = JSON.stringify(specifier);
    await check(`import ${specifier} ${how}`, () =>
      run(consumer, node, ['--input-type=module', '-e', `await import(${name})`]),
    );
    await check(`require ${specifier} ${how}`, () =>
      run(consumer, node, ['--input-type=commonjs', '-e', `require(${name})`]),
    );
  }
}

/** In the versions that the packages are developed with. */
function installPeers() {
  const peers = packages.flatMap(({ manifest }) =>
    Object.entries(manifest.peerDependenciesMeta ?? {}).flatMap(([name, { optional }]) =>
      optional ? [`${name}@${manifest.devDependencies[name]}`] : [],
    ),
  );
  run(consumer, 'npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...peers]);
}

/** Runs a consumer, which has to end by itself, and counts its rows with the `pg` that came with the sink, and its messages. */
async function exportWith({ dsn, kafka, nats }, program, suffix) {
  const table = `kollect_${process.pid}_${suffix}`;
  const pg = createRequire(join(consumer, 'package.json'))('pg');
  const client = new pg.Client({ connectionString: dsn });
  await client.connect();
  await kafka.createTopic(table);
  try {
    run(consumer, node, [program], {
      CONSUMER_DSN: dsn,
      CONSUMER_TABLE: table,
      CONSUMER_BROKERS: kafka.bootstrap,
      CONSUMER_TOPIC: table,
      CONSUMER_NATS: nats.servers.join(','),
    });
    const { rows } = await client.query(`select count(*)::int as found from ${table}`);
    if (rows[0].found !== 1) throw new Error(`expected 1 row in ${table}, found ${rows[0].found}`);
    const messages = (await kafka.endOffsets(table)).get(0);
    if (messages !== 1) throw new Error(`expected 1 message in topic ${table}, found ${messages}`);
  } finally {
    await client.query(`drop table if exists ${table}, ${table}_exports cascade`);
    await client.end();
  }
}

async function withServers(use) {
  const servers = await import('../test-integration/servers/index.ts');
  const started = [];
  const start = async (what, make) => check(`a ${what} starts`, async () => started.push(await make()));
  try {
    if (!(await start('Kafka', () => servers.startKafka()))) return;
    if (!(await start('NATS', () => servers.startNats()))) return;
    const [kafka, nats] = started;
    const given = process.env.KOLLECT_CHECK_DSN;
    if (!given && !(await start('PostgreSQL', () => servers.startPostgres({ tls: false })))) return;
    await use({ kafka, nats, dsn: given ?? started[2].dsn() });
  } finally {
    for (const server of started) await server.stop();
  }
}
