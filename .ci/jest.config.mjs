import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const shared = {
  rootDir: root,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/.ci/strip-types.cjs' },
  moduleNameMapper: {
    '^@kollect/(core|kubernetes|operator|sink-[a-z]+)$': '<rootDir>/packages/$1/src/index.ts',
    '^@kollect/kubernetes/testing$': '<rootDir>/packages/kubernetes/src/testing/index.ts',
    '^@kollect/core/authoring$': '<rootDir>/packages/core/src/authoring/index.ts',
    '^@kollect/core/(prometheus|opentelemetry)$': '<rootDir>/packages/core/src/observability/$1.ts',
    '^@kollect/sink-kafka/platformatic$':
      '<rootDir>/packages/sink-kafka/src/clients/platformatic/platformatic-client.ts',
  },
  modulePathIgnorePatterns: ['/dist/'],
};

const integration = {
  ...shared,
  globalSetup: '<rootDir>/test-integration/global-setup.ts',
  globalTeardown: '<rootDir>/test-integration/global-teardown.ts',
};

/** @type {import('jest').Config} */
export default {
  rootDir: root,
  coverageProvider: 'babel',
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: [
        '<rootDir>/packages/*/src/**/*.test.ts',
        '<rootDir>/examples/*/src/**/*.test.ts',
        '<rootDir>/.ci/{checks,fuzz,reference}/*.test.ts',
      ],
    },
    { ...integration, displayName: 'integration', testMatch: ['<rootDir>/test-integration/**/*.test.ts'] },
    {
      // Once more with snapshots of inventories that are kept, which PostgreSQL gets as what changed.
      ...integration,
      displayName: 'kept',
      globals: { keptInventories: true },
      testMatch: [
        '<rootDir>/test-integration/postgres/{concurrency,model,plan-model,refusals,table-promises,upsert}.test.ts',
      ],
    },
  ],
};
