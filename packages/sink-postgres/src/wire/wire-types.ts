import type { CustomTypesConfig } from 'pg';

const parsers: Readonly<Record<number, (text: string) => unknown>> = {
  16: (text) => text === 't',
  21: Number,
  23: Number,
  26: Number,
  701: Number,
  114: (text) => JSON.parse(text),
  3802: (text) => JSON.parse(text),
};

const asText = (text: string): string => text;

/**
 * How values come back from the server: booleans, small numbers and JSON parsed, everything else as text.
 * Each client gets these, for the parsers of `pg.types` are global and a host may have replaced them.
 */
export const wireTypes: CustomTypesConfig = {
  getTypeParser: (oid: number) => parsers[oid] ?? asText,
};
