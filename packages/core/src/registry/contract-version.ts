import { showValue } from '../contract/errors/show-value.ts';
import { violation } from './definition-parts.ts';

/** The newest contract that this core speaks; it speaks those before it, too. */
export const contractVersion = 1;

/** What a definition may say it was written for. */
export type ContractVersion = 1;

/** Throws CONTRACT_VIOLATION where a definition was written for a newer contract than `newest`, or does not say for which. */
export function checkContractVersion(
  definition: { readonly type: string; readonly contractVersion: unknown },
  newest = contractVersion,
): void {
  const { type, contractVersion: written } = definition;
  if (typeof written !== 'number' || !Number.isInteger(written) || written < 1) {
    throw violation(
      type,
      `must give its contractVersion as a whole number such as ${String(newest)}, found ${showValue(written, { secret: false })}`,
    );
  }
  if (written <= newest) return;
  throw violation(
    type,
    `is written for contract version ${String(written)}, this core speaks version ${String(newest)}: install a newer @kollect/core, or an older version of the sink`,
  );
}
