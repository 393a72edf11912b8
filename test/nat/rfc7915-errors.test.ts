import { describe, expect, it } from 'vitest';
import { translatedError } from '../../src/nat/icmp-translation.ts';

const QUOTE = Uint8Array.of(1, 2, 3);
const REPORTER = Uint8Array.of(192, 0, 2, 1);
const TO = { address: Uint8Array.of(198, 51, 100, 7), port: 53 };

function translated(type: number, code: number, mtu = 0): readonly number[] | undefined {
  const error = translatedError({ type, code, mtu, reporter: REPORTER, to: TO, quote: QUOTE });
  if (error !== undefined) expect(error).toMatchObject({ reporter: REPORTER, to: TO, quote: QUOTE });
  return error && [error.type, error.code, error.mtu];
}

describe('an ICMP error is said by ICMPv6 (RFC 7915, 4.2)', () => {
  it.each([
    { what: 'no route, for all that cannot be reached', codes: [0, 1, 5, 6, 7, 8, 11, 12], as: [1, 0, 0] },
    { what: 'prohibited', codes: [9, 10, 13, 15], as: [1, 1, 0] },
    { what: 'port unreachable', codes: [3], as: [1, 4, 0] },
    { what: 'nothing', codes: [2, 14, 16, 255], as: undefined },
  ])('$what', ({ codes, as }) => {
    for (const code of codes) expect(translated(3, code)).toEqual(as);
  });

  it('packet too big, with room for the longer header, and never less than every link takes', () => {
    expect(translated(3, 4, 1400)).toEqual([2, 0, 1420]);
    expect(translated(3, 4, 576)).toEqual([2, 0, 1280]);
    expect(translated(3, 4, 0)).toEqual([2, 0, 1280]);
  });

  it('time exceeded, on the way and in reassembly', () => {
    expect([translated(11, 0), translated(11, 1)]).toEqual([
      [3, 0, 0],
      [3, 1, 0],
    ]);
  });

  it('nothing where it asks for less, for another way, or names an octet', () => {
    expect([4, 5, 12, 0, 8].map((type) => translated(type, 0))).toEqual(new Array(5).fill(undefined));
  });
});
