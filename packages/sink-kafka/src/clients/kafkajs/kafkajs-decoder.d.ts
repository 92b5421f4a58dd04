declare module 'kafkajs/src/protocol/decoder.js' {
  export default class Decoder {
    constructor(buffer: Buffer);
    readonly buffer: Buffer;
    readonly offset: number;
    readArray(reader: (decoder: Decoder) => unknown): readonly unknown[];
    readString(): string | null;
  }
}
