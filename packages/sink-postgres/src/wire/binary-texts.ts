import { writeValue } from './binary-format.ts';
import { createTimeSlice } from './time-slice.ts';

const textOid = 25;

/** An array of texts in binary format, one of each element of the list, encoded in slices: a million of them would hold the event loop. */
export async function binaryTexts<T>(list: readonly T[], textOf: (element: T) => string): Promise<Buffer> {
  const slice = createTimeSlice();
  let length = 20;
  for (const [index, element] of list.entries()) {
    length += 4 + Buffer.byteLength(textOf(element));
    if (index % 256 === 255 && slice.due()) await slice.rest();
  }
  const bytes = Buffer.allocUnsafe(length);
  const dimensions = list.length === 0 ? 0 : 1;
  bytes.writeInt32BE(dimensions, 0);
  bytes.writeInt32BE(0, 4);
  bytes.writeInt32BE(textOid, 8);
  if (dimensions === 0) return bytes.subarray(0, 12);
  bytes.writeInt32BE(list.length, 12);
  bytes.writeInt32BE(1, 16);
  let at = 20;
  for (const [index, element] of list.entries()) {
    at = writeValue(bytes, at, textOf(element), 0);
    if (index % 256 === 255 && slice.due()) await slice.rest();
  }
  return bytes;
}
