import { describe, expect, it } from 'vitest';
import { emitSocksMethod, emitSocksReply, parseSocksGreeting, parseSocksRequest } from '../../src/wire/socks5.ts';

const octets = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const request = (hex: string) => parseSocksRequest(octets(hex), 0, octets(hex).length);

describe('a greeting of RFC 1928, 3', () => {
  it.each([
    ['05 01 00', { offersOpen: true, end: 3 }],
    ['05 02 01 00 05', { offersOpen: true, end: 4 }],
    ['05 01 02', { offersOpen: false, end: 3 }],
    ['05 00', { offersOpen: false, end: 2 }],
    ['05', 'truncated'],
    ['05 02 00', 'truncated'],
    ['04 01 00 50', 'bad-version'],
  ])('%s is read', (hex, expected) => {
    expect(parseSocksGreeting(octets(hex), 0, octets(hex).length)).toEqual(expected);
  });
});

describe('a request of RFC 1928, 4', () => {
  it.each([
    [
      '05 01 00 01 0a000250 0050',
      { command: 'connect', to: { kind: 'ipv4', address: 0x0a00_0250 }, port: 80, end: 10 },
    ],
    ['05 01 00 03 03 776562 01bb 00', { command: 'connect', to: { kind: 'name', name: 'web' }, port: 443, end: 10 }],
    [`05 03 00 04 ${'00'.repeat(16)} 0000`, { command: 'udp-associate', to: { kind: 'ipv6' }, port: 0, end: 22 }],
    [
      '05 09 00 01 0a000250 0050',
      { command: undefined, to: { kind: 'ipv4', address: 0x0a00_0250 }, port: 80, end: 10 },
    ],
    ['05 01 00 02 0a000250 0050', 'bad-value'],
    ['05 01 00 03 03 7765', 'truncated'],
    ['05 01 00', 'truncated'],
    ['', 'truncated'],
  ])('%s is read', (hex, expected) => {
    expect(request(hex)).toEqual(expected);
  });
});

it('answers are written as the RFC has them', () => {
  expect(emitSocksMethod('none')).toEqual(octets('05 ff'));
  expect(emitSocksReply('refused')).toEqual(octets('05 05 00 01 00000000 0000'));
  expect(emitSocksReply('succeeded', 0x0a00_0209, 50_000)).toEqual(octets('05 00 00 01 0a000209 c350'));
});
