/** The fields of a secret, by name. */
export type Credentials = Readonly<Record<string, string>>;

/** Certificates and key as PEM text. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}
