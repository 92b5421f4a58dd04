import type { SinkError } from '../../contract/errors/errors.ts';

/** What was found, without what to do about it. */
export function withoutRemedy({ message, remedy }: SinkError): string {
  return remedy !== undefined && message.endsWith(remedy) ? message.slice(0, -remedy.length).trimEnd() : message;
}
