export function destroyedError(): Error {
  return Object.assign(new Error('The client was destroyed'), { name: 'KafkaClientDestroyed', retriable: false });
}

export function protocolError(
  message: string,
  fields: { readonly type: string; readonly code: number; readonly retriable: boolean },
): Error {
  return Object.assign(new Error(message), { name: 'KafkaJSProtocolError', ...fields });
}

export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/** The name of the broker's error code, also of one that came with others. */
export function typeOf(error: unknown): string {
  const { type, errors } = Object(error) as {
    readonly type?: unknown;
    readonly errors?: readonly { readonly type?: unknown }[];
  };
  const found = type ?? errors?.find((each) => each.type !== undefined)?.type;
  return typeof found === 'string' ? found : '';
}
