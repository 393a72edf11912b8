import { describe, expect, it } from 'vitest';
import type { TftpPacket } from '../../src/wire/tftp.ts';
import { emitTftp, parseTftp } from '../../src/wire/tftp.ts';
import { hex } from '../support/frames.ts';
import { packet } from '../support/packets.ts';

/** Ethernet, IPv4 and UDP headers. */
const PAYLOAD = 42;

const parsed = (octets: string) => parseTftp(hex(octets), 0, hex(octets).length);

describe('packets of real peers', () => {
  it.each<[string, TftpPacket]>([
    [
      'tftp-read-request-ipxe',
      {
        kind: 'read-request',
        file: 'boot.ipxe',
        mode: 'octet',
        options: new Map([
          ['blksize', '1432'],
          ['tsize', '0'],
        ]),
      },
    ],
    [
      'tftp-option-ack-libslirp',
      {
        kind: 'option-ack',
        options: new Map([
          ['blksize', '1428'],
          ['tsize', '310'],
        ]),
      },
    ],
    ['tftp-ack-ipxe', { kind: 'ack', block: 0 }],
    ['tftp-data-libslirp', { kind: 'data', block: 1, payload: new TextEncoder().encode('second\n') }],
  ])('%s is read, and written as it was', (name, expected) => {
    const frame = packet(name);
    expect(parseTftp(frame, PAYLOAD, frame.length)).toEqual(expected);
    const out = new Uint8Array(512);
    expect(out.subarray(0, emitTftp(expected, out, 0))).toEqual(frame.subarray(PAYLOAD));
  });
});

it.each([
  ['nothing', '', 'truncated'],
  ['half an opcode', '00', 'truncated'],
  ['an ACK without a block', '00 04 00', 'truncated'],
  ['a file name without an end', '00 01 61 62', 'truncated'],
  ['a request without a mode', '00 01 61 00', 'truncated'],
  ['a mode without an end', '00 01 61 00 6f', 'truncated'],
  ['another opcode', '00 07 00 00', 'bad-value'],
])('refuses %s', (_what, octets, defect) => {
  expect(parsed(octets)).toBe(defect);
});

it('reads mode and option names in any case, each option once (RFC 2347)', () => {
  expect(parsed('00 01 61 00 4f 43 54 45 54 00 54 53 00 31 00 74 73 00 32 00')).toMatchObject({
    mode: 'octet',
    options: new Map([['ts', '1']]),
  });
});

it('ignores an option without a value', () => {
  expect(parsed('00 01 61 00 6f 00 78 00')).toMatchObject({ options: new Map() });
});

it('reads an error whose message has no end', () => {
  expect(parsed('00 05 00 01 6e 6f')).toEqual({ kind: 'error', code: 1, message: 'no' });
});

it('stays inside the datagram', () => {
  const bytes = hex('00 05 00 01 6e 6f 00 00 00');
  expect(parseTftp(bytes, 0, 5)).toEqual({ kind: 'error', code: 1, message: 'n' });
  expect(parseTftp(hex('00 01 61 00 6f 00'), 0, 5)).toBe('truncated');
});

it('writes an error', () => {
  const out = new Uint8Array(16);
  expect(out.subarray(0, emitTftp({ kind: 'error', code: 2, message: 'no' }, out, 0))).toEqual(
    hex('00 05 00 02 6e 6f 00'),
  );
});

it('a request longer than RFC 2347 allows is none', () => {
  const out = new Uint8Array(1024);
  const requestFor = (file: string) =>
    emitTftp({ kind: 'read-request', file, mode: 'octet', options: new Map() }, out, 0);
  expect(parseTftp(out, 0, requestFor('a'.repeat(400)))).toMatchObject({ kind: 'read-request' });
  expect(parseTftp(out, 0, requestFor('a'.repeat(600)))).toBe('bad-length');
});
