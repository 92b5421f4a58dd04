import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const shared = {
  rootDir: root,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/.ci/strip-types.cjs' },
  moduleNameMapper: {
    '^@kollect/(core|sink-[a-z]+)$': '<rootDir>/packages/$1/src/index.ts',
    '^@kollect/core/authoring$': '<rootDir>/packages/core/src/authoring/index.ts',
    '^@kollect/core/(prometheus|opentelemetry)$': '<rootDir>/packages/core/src/observability/$1.ts',
    '^@kollect/sink-kafka/platformatic$':
      '<rootDir>/packages/sink-kafka/src/clients/platformatic/platformatic-client.ts',
  },
  modulePathIgnorePatterns: ['/dist/'],
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
        '<rootDir>/.ci/{checks,fuzz}/*.test.ts',
      ],
    },
    {
      ...shared,
      displayName: 'integration',
      testMatch: ['<rootDir>/test-integration/**/*.test.ts'],
      globalSetup: '<rootDir>/test-integration/global-setup.ts',
      globalTeardown: '<rootDir>/test-integration/global-teardown.ts',
    },
  ],
};
