import { getContainerRuntimeClient, type ContainerRuntimeClient } from 'testcontainers';

/** True when Docker, Podman or another engine that testcontainers knows answers here. */
export async function engineAnswers(): Promise<boolean> {
  return (await findEngine()) !== undefined;
}

/** The engine that answers, or undefined. */
export async function findEngine(): Promise<ContainerRuntimeClient | undefined> {
  return getContainerRuntimeClient().catch(() => undefined);
}
