export { runOperator, type RunOperatorOptions } from './run-operator.ts';
export { readSettings, SettingsError, type OperatorSettings } from './operator-settings.ts';
export { jsonLogger } from './json-logger.ts';
