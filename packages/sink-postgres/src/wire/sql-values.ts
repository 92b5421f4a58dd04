/** A value of an SQL parameter: a Buffer goes out in the server's binary format, all others as text. */
export type SqlValue = string | number | boolean | null | Buffer;
export type SqlRow = readonly (string | number | boolean | null)[];
