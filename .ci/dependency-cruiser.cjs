const { realpathSync } = require('node:fs');
const { join } = require('node:path');

// Without a compiler that it understands, dependency-cruiser finds no TypeScript file and nothing to complain about.
const cruiser = realpathSync(join(__dirname, '../node_modules/dependency-cruiser'));
const { version } = require(require.resolve('typescript/package.json', { paths: [cruiser] }));
if (Number.parseInt(version, 10) > 6)
  throw new Error(
    `dependency-cruiser needs TypeScript 6 beside it, found ${version}: see packageExtensions in pnpm-workspace.yaml`,
  );

// Who may import whom. contract <- registry <- connection <- authoring; registry <- resources <- inventory; contract <- observability; all of these <- delivery <- the files above them; a sink package imports core's index and authoring/index alone.
const inside = (folder) => `^packages/core/src/${folder}/`;
const rule = (name, from, to) => ({
  name,
  severity: 'error',
  from: { path: from, pathNot: '\\.(test|fixture)\\.ts$' },
  to,
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    rule('contract-imports-nothing-of-ours', inside('contract'), { path: '^packages/', pathNot: inside('contract') }),
    rule('registry-imports-contract', inside('registry'), {
      path: '^packages/',
      pathNot: inside('(contract|registry)'),
    }),
    rule('connection-imports-contract-and-registry', inside('connection'), {
      path: '^packages/',
      pathNot: inside('(contract|registry|connection)'),
    }),
    rule('authoring-imports-what-is-below-it', inside('authoring'), {
      path: '^packages/',
      pathNot: inside('(contract|registry|connection|authoring)'),
    }),
    rule('resources-import-contract-and-registry', inside('resources'), {
      path: '^packages/',
      pathNot: inside('(contract|registry|resources)'),
    }),
    rule('inventory-imports-contract-and-resources', inside('inventory'), {
      path: '^packages/',
      pathNot: inside('(contract|registry|resources|inventory)'),
    }),
    rule('observability-imports-contract', inside('observability'), {
      path: '^packages/',
      pathNot: inside('(contract|observability)'),
    }),
    rule('delivery-imports-what-is-below-it', inside('delivery'), {
      path: '^packages/',
      pathNot: inside('(contract|registry|connection|authoring|observability|delivery)'),
    }),
    rule('core-imports-no-sink', '^packages/core/', { path: '^packages/sink-' }),
    rule('sinks-import-two-indexes-of-core-alone', '^packages/sink-', {
      path: '^packages/core/src/(?!(authoring/)?index\\.ts$)',
    }),
    rule('kubernetes-imports-two-indexes-of-core-alone', '^packages/kubernetes/', {
      path: '^packages/(core/src/(?!(authoring/)?index\\.ts$)|sink-)',
    }),
    rule('nobody-imports-kubernetes', '^packages/(core|sink-[^/]+)/', { path: '^packages/kubernetes/' }),
    {
      name: 'sink-imports-no-other-sink',
      severity: 'error',
      from: { path: '^packages/(sink-[^/]+)/', pathNot: '\\.(test|fixture)\\.ts$' },
      to: { path: '^packages/sink-', pathNot: '^packages/$1/' },
    },
    rule('nobody-imports-tests', '^(packages|examples)/', { path: '\\.(test|fixture)\\.ts$' }),
    rule('packages-import-no-harness', '^packages/', { path: '^(test-integration|examples)/' }),
  ],
  options: {
    tsConfig: { fileName: '.ci/tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    // Packages that have exports and no main are found by these alone.
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['types', 'import', 'node', 'default'] },
    exclude: { path: '/dist/' },
  },
};
