import { describe, expect, it } from 'vitest';
import { finishChecksum, sumWords } from '../../src/base/checksum.ts';
import { hex } from '../support/frames.ts';

/** RFC 1071, 1, octet by octet. */
function plainSum(bytes: Uint8Array): number {
  return bytes.reduce((sum, octet, i) => sum + (i % 2 === 0 ? octet * 256 : octet), 0);
}

describe('the Internet checksum', () => {
  it('is that of the example in RFC 1071, 3', () => {
    const bytes = hex('0001 f203 f4f5 f6f7');
    expect(finishChecksum(sumWords(bytes, 0, 8))).toBe(~0xddf2 & 0xffff);
  });

  it('adds every octet once, wherever the words start and end', () => {
    const bytes = Uint8Array.from({ length: 200 }, (_, i) => (i * i * 89 + 17) & 0xff);
    for (let start = 0; start < 9; start++) {
      for (let end = start; end <= bytes.length; end++) {
        const plain = finishChecksum(5 + plainSum(bytes.slice(start, end)));
        expect(finishChecksum(sumWords(bytes, start, end, 5))).toBe(plain);
      }
    }
  });

  it.each([0, 0xff])('is that of the plain sum over octets of %i alone', (octet) => {
    const bytes = new Uint8Array(128).fill(octet);
    expect(finishChecksum(sumWords(bytes, 0, 128))).toBe(finishChecksum(plainSum(bytes)));
  });

  it('is the same for a whole and for the sum of its even pieces', () => {
    const bytes = Uint8Array.from({ length: 333 }, (_, i) => (255 - i) & 0xff);
    const pieces = sumWords(bytes, 110, 333, sumWords(bytes, 0, 110));
    expect(finishChecksum(pieces)).toBe(finishChecksum(sumWords(bytes, 0, 333)));
  });

  it('is zero over what holds its own checksum, at any size', () => {
    const bytes = new Uint8Array(65_536).fill(0xff);
    bytes.set([0, 0], 0);
    const checksum = finishChecksum(sumWords(bytes, 0, bytes.length));
    bytes.set([checksum >> 8, checksum & 0xff], 0);
    expect(finishChecksum(sumWords(bytes, 0, bytes.length))).toBe(0);
  });
});
