import kafkajs, { type logLevel } from 'kafkajs';
import type { KafkaClientConfig, KafkaLogLine } from '../../kafka-client.ts';

const { logLevel: logLevels } = kafkajs;

const levels: Readonly<Record<number, KafkaLogLine['level']>> = {
  [logLevels.ERROR]: 'error',
  [logLevels.WARN]: 'warn',
  [logLevels.INFO]: 'info',
  [logLevels.DEBUG]: 'debug',
};

export function forwardLog(
  level: logLevel,
  { message, broker }: { readonly message: unknown; readonly broker?: unknown },
  log: KafkaClientConfig['log'],
): void {
  const text = message instanceof Error ? message.message : String(message);
  // Our own bound on retries is meant; and what quotes a message is cut before it does.
  if (text.startsWith('Limiting retries')) return;
  // kafkajs asks again, or rejects with the same: a broker that is just starting is no error of anybody.
  const isAnswer = /^Response \w+\(key: \d+, version: \d+\)$/u.test(text);
  const shown = text.replace(/^(Invalid message\b).*$/su, '$1').slice(0, 300);
  log({
    level: isAnswer ? 'debug' : (levels[level] ?? 'info'),
    message: shown,
    ...(typeof broker === 'string' ? { broker } : {}),
  });
}
