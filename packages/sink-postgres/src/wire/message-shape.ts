/** Whether what stands from `start` to `end` is the body that the type of a message promises: what `pg` reads unchecked. */
export type MessageShape = (bytes: Buffer, start: number, end: number) => boolean;

/** PostgreSQL gives no more columns than this in one result. */
const maxColumns = 1_664;

const isEmpty: MessageShape = (_, start, end) => start === end;

/** Where a text that begins at `start` ends, its zero byte included; -1 where it does not. */
function afterText(bytes: Buffer, start: number, end: number): number {
  const zero = bytes.indexOf(0, start);
  return zero >= 0 && zero < end ? zero + 1 : -1;
}

const isDataRow: MessageShape = (bytes, start, end) => {
  if (end - start < 2) return false;
  let at = start + 2;
  for (let left = bytes.readInt16BE(start); left > 0; left -= 1) {
    if (end - at < 4) return false;
    const length = bytes.readInt32BE(at);
    at += 4;
    if (length < -1 || length > end - at) return false;
    if (length > 0) at += length;
  }
  return at === end && bytes.readInt16BE(start) >= 0;
};

const isRowDescription: MessageShape = (bytes, start, end) => {
  if (end - start < 2) return false;
  const columns = bytes.readInt16BE(start);
  if (columns < 0 || columns > maxColumns) return false;
  let at = start + 2;
  for (let left = columns; left > 0; left -= 1) {
    const afterName = afterText(bytes, at, end);
    if (afterName < 0 || end - afterName < 18) return false;
    at = afterName + 18;
  }
  return at === end;
};

const isCopyResponse: MessageShape = (bytes, start, end) => {
  if (end - start < 3) return false;
  const columns = bytes.readInt16BE(start + 1);
  return columns >= 0 && end - start === 3 + 2 * columns;
};

/** An error or a notice: fields of a letter and a text, then a zero byte. */
const isReport: MessageShape = (bytes, start, end) => {
  let at = start;
  while (at < end && bytes[at] !== 0) {
    at = afterText(bytes, at + 1, end);
    if (at < 0) return false;
  }
  return at === end - 1;
};

/** So many bytes, then so many texts. */
const texts =
  (count: number, after = 0): MessageShape =>
  (bytes, start, end) => {
    let at = start + after;
    for (let left = count; left > 0; left -= 1) {
      at = afterText(bytes, at, end);
      if (at < 0) return false;
    }
    return at === end;
  };

const isReady: MessageShape = (bytes, start, end) =>
  end - start === 1 && 'ITE'.includes(bytes.toString('latin1', start, end));

/** The shapes of all that a server says to a sink, by type, beside the requests for a login. */
export const messageShapes: Readonly<Record<string, MessageShape>> = {
  '1': isEmpty,
  '2': isEmpty,
  '3': isEmpty,
  A: texts(2, 4),
  C: texts(1),
  D: isDataRow,
  E: isReport,
  G: isCopyResponse,
  I: isEmpty,
  K: (_, start, end) => end - start === 8,
  N: isReport,
  S: texts(2),
  T: isRowDescription,
  Z: isReady,
  n: isEmpty,
};
