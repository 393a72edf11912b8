import { describe, expect, it } from 'vitest';
import { emitSack, emitSynOptions, emitTcpHeader, emitTimestamps, SYN, TcpView } from '../../src/wire/tcp.ts';
import { hex } from '../support/frames.ts';

/** A SYN of Linux 6.18: MSS 1460, SACK, timestamps, window scale 7. */
const LINUX_SYN = hex(`
  c3 50 00 50  12 34 56 78  00 00 00 00  a0 02 fa f0  00 00 00 00
  02 04 05 b4  04 02 08 0a  00 00 30 39  00 00 00 00  01 03 03 07`);

function bound(bytes: Uint8Array): TcpView {
  const view = new TcpView();
  expect(view.bind(bytes, 0, bytes.length)).toBeUndefined();
  view.readOptions();
  return view;
}

/** A header with these options, filled up to a multiple of four octets. */
function withOptions(...options: readonly number[]): Uint8Array {
  const length = Math.ceil(options.length / 4) * 4;
  const bytes = new Uint8Array(20 + length);
  emitTcpHeader(bytes, 0, 1, 2, 3, 4, SYN, 5, length);
  bytes.set(options, 20);
  return bytes;
}

describe('a TCP segment', () => {
  it('is read as Linux writes it', () => {
    expect(bound(LINUX_SYN)).toMatchObject({
      sourcePort: 50_000,
      destinationPort: 80,
      sequence: 0x12345678,
      acknowledgment: 0,
      flags: SYN,
      window: 64_240,
      mss: 1460,
      permitsSack: true,
      windowScale: 7,
      hasTimestamps: true,
      timestamp: 12_345,
      timestampEcho: 0,
      payloadStart: 40,
      payloadEnd: 40,
    });
  });

  it.each([
    ['truncated', LINUX_SYN.slice(0, 19)],
    ['truncated', LINUX_SYN.slice(0, 39)],
    ['bad-length', Uint8Array.from(LINUX_SYN, (octet, i) => (i === 12 ? 0x40 : octet))],
  ])('is %s where its octets say so', (defect, bytes) => {
    expect(new TcpView().bind(bytes, 0, bytes.length)).toBe(defect);
  });

  it('carries what was written: SYN options', () => {
    const bytes = new Uint8Array(60);
    const options = { mss: 8960, windowScale: 5, permitsSack: true, timestamps: { value: 0xfedcba98, echo: 7 } };
    const end = emitSynOptions(bytes, 20, options);
    emitTcpHeader(bytes, 0, 1, 2, 0xffff_ffff, 0x8000_0000, SYN, 9, end - 20);
    expect(bound(bytes.slice(0, end))).toMatchObject({
      sequence: 0xffff_ffff,
      acknowledgment: 0x8000_0000,
      mss: 8960,
      windowScale: 5,
      permitsSack: true,
      timestamp: 0xfedcba98,
      timestampEcho: 7,
    });
  });

  it('carries what was written: timestamps and ranges', () => {
    const bytes = new Uint8Array(60);
    const ranges = Float64Array.of(1, 2, 0xffff_fff0, 0xffff_ffff, 5, 9);
    const end = emitSack(bytes, emitTimestamps(bytes, 20, 3, 4), ranges, 3);
    emitTcpHeader(bytes, 0, 1, 2, 3, 4, SYN, 9, end - 20);
    const view = bound(bytes.slice(0, end));
    expect(view).toMatchObject({ timestamp: 3, timestampEcho: 4, sackCount: 3, payloadStart: end });
    expect(view.sackRanges.slice(0, 6)).toEqual(ranges);
  });

  it('has options up to the end of the list, or to the first that is malformed', () => {
    expect(bound(withOptions(0, 2, 4, 1, 0)).mss).toBe(0);
    expect(bound(withOptions(99, 3, 0, 2, 4, 1, 0)).mss).toBe(256);
    expect(bound(withOptions(2, 4, 1, 0, 3, 0, 7)).windowScale).toBeUndefined();
    expect(bound(withOptions(2, 4, 1, 0, 3, 40, 7)).mss).toBe(256);
    expect(bound(withOptions(1, 1, 1, 2)).mss).toBe(0);
    expect(bound(withOptions(3, 3, 200)).windowScale).toBe(14);
    expect(bound(withOptions(5, 9, 0, 0, 0, 0, 0, 0, 0)).sackCount).toBe(0);
  });

  it('forgets the options of the one before', () => {
    const view = bound(LINUX_SYN);
    const bare = withOptions();
    view.bind(bare, 0, bare.length);
    view.readOptions();
    expect(view).toMatchObject({
      mss: 0,
      windowScale: undefined,
      permitsSack: false,
      hasTimestamps: false,
      sackCount: 0,
    });
  });
});
