import type { Random } from '../../packages/core/src/contract/fuzz.fixture.ts';
import type { Asked, Reply } from './hostile-broker.ts';

const integers = [0, -1, -2, 1, 1_000_000, 30_000_000, 2 ** 31 - 1, -(2 ** 31)];
const texts = ['2147483647', '0', '-1', '99999999999999999999'];
/** Where the frame's own length and the number of the request end. */
const bodyAt = 8;

/** An answer that is right three times in four, and otherwise flipped, cut, repeated, with a length that lies, or followed by more than was asked. */
export function damagedReply({ answer }: Asked, random: Random): Reply {
  if (random(4) !== 0) return { frames: [answer] };
  switch (random(12)) {
    case 0:
      return { frames: [withLength(answer, integers[random(integers.length)] ?? 0)] };
    case 1:
      return { frames: [answer.subarray(0, random(answer.length))], end: random(2) === 0 };
    case 2:
      return { frames: Array.from({ length: 1 + random(200) }, () => answer) };
    case 3: {
      const other = Buffer.from(answer);
      other.writeInt32BE(integers[random(integers.length)] ?? 0, 4);
      return { frames: [other] };
    }
    case 4:
      return { frames: [], end: random(2) === 0 };
    default: {
      let damaged: Buffer = Buffer.from(answer);
      for (let times = random(3); times >= 0; times -= 1) damaged = damagedBody(damaged, random);
      return { frames: [random(8) === 0 ? damaged : withLength(damaged, damaged.length - 4)] };
    }
  }
}

function damagedBody(frame: Buffer, random: Random): Buffer {
  const at = Math.min(frame.length, bodyAt + random(Math.max(1, frame.length - bodyAt)));
  const end = Math.min(frame.length, at + 1 + random(random(2) === 0 ? 8 : 200));
  const copy = Buffer.from(frame);
  switch (random(7)) {
    case 0:
      if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << random(8));
      return copy;
    case 1:
      return copy.subarray(0, at);
    case 2:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(end)]);
    case 3:
      return Buffer.concat([
        copy.subarray(0, end),
        ...Array.from({ length: 1 + random(300) }, () => copy.subarray(at, end)),
        copy.subarray(end),
      ]);
    case 4: {
      const value = integers[random(integers.length)] ?? 0;
      if (at + 4 <= copy.length) copy.writeInt32BE(value, at);
      return copy;
    }
    case 5:
      // What a compact array of four thousand million has for a length.
      return Buffer.concat([copy.subarray(0, at), Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]), copy.subarray(at)]);
    default: {
      const text = copy.toString('latin1');
      const found = /\d{2,}/.exec(text.slice(at));
      if (found === null) return copy;
      const start = at + found.index;
      const lie = Buffer.from(texts[random(texts.length)] ?? '');
      return Buffer.concat([copy.subarray(0, start), lie, copy.subarray(start + found[0].length)]);
    }
  }
}

function withLength(frame: Buffer, length: number): Buffer {
  const copy = Buffer.from(frame);
  if (copy.length >= 4) copy.writeInt32BE(length, 0);
  return copy;
}
