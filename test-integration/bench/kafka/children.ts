import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { PlayAnswer, PlayRequest } from './contender-child.ts';
import type { NodeVariant, Sample } from './results.ts';

export interface VariantProcess {
  play(request: PlayRequest): Promise<Sample>;
  close(): Promise<void>;
}

/** Starts the process of a variant and waits until it listens. */
export async function startVariant(variant: NodeVariant): Promise<VariantProcess> {
  const child = fork(new URL('contender-child.ts', import.meta.url), [variant], { execArgv: ['--expose-gc'] });
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`The process that measures ${variant} ended early (${String(signal ?? code)}).`);
  });
  // It also ends when all is done; only before that it is an error.
  ended.catch(() => undefined);
  const heard = async (): Promise<unknown> => (await Promise.race([once(child, 'message'), ended]))[0];
  await heard();
  return {
    async play(request) {
      child.send(request);
      const answer = (await heard()) as PlayAnswer;
      if ('error' in answer) throw new Error(`${variant}, ${request.case}: ${answer.error}`);
      return answer.sample;
    },
    close: () => closeChild(child),
  };
}

async function closeChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.send('close');
  const patience = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await exited;
  clearTimeout(patience);
}
