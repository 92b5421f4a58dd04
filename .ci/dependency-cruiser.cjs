// Who may import whom. contract <- registry <- connection, resources <- the files above them; a sink package imports core's index alone.
const inside = (folder) => `^packages/core/src/${folder}/`;
const rule = (name, from, to) => ({ name, severity: 'error', from: { path: from, pathNot: '\\.(test|fixture)\\.ts$' }, to });

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    rule('contract-imports-nothing-of-ours', inside('contract'), { path: '^packages/', pathNot: inside('contract') }),
    rule('registry-imports-contract', inside('registry'), { path: '^packages/', pathNot: inside('(contract|registry)') }),
    rule('connection-imports-contract-and-registry', inside('connection'), { path: '^packages/', pathNot: inside('(contract|registry|connection)') }),
    rule('resources-import-contract-and-registry', inside('resources'), { path: '^packages/', pathNot: inside('(contract|registry|resources)') }),
    rule('core-imports-no-sink', '^packages/core/', { path: '^packages/sink-' }),
    rule('sinks-import-the-index-of-core-alone', '^packages/sink-', { path: '^packages/core/src/(?!index\\.ts$)' }),
    { name: 'sink-imports-no-other-sink', severity: 'error', from: { path: '^packages/(sink-[^/]+)/', pathNot: '\\.(test|fixture)\\.ts$' }, to: { path: '^packages/sink-', pathNot: '^packages/$1/' } },
    rule('nobody-imports-tests', '^(packages|examples)/', { path: '\\.(test|fixture)\\.ts$' }),
    rule('packages-import-no-harness', '^packages/', { path: '^(test-integration|examples)/' }),
  ],
  options: {
    tsConfig: { fileName: '.ci/tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/dist/' },
  },
};
