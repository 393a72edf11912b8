import { describe, expect, it } from 'vitest';
import { Ipv4View, PROTOCOL_UDP, pseudoHeaderSum } from '../../src/wire/ipv4.ts';
import { emitUdp, UDP_HEADER_LENGTH, UdpView } from '../../src/wire/udp.ts';
import { packet } from '../support/packets.ts';

function bound(frame: Uint8Array): { ip: Ipv4View; udp: UdpView; pseudo: number } {
  const ip = new Ipv4View();
  const udp = new UdpView();
  expect(ip.bind(frame, 14, frame.length)).toBeUndefined();
  expect(udp.bind(frame, ip.payloadStart, ip.payloadEnd)).toBeUndefined();
  return { ip, udp, pseudo: pseudoHeaderSum(ip.source, ip.destination, PROTOCOL_UDP, udp.length) };
}

describe('a UDP datagram', () => {
  it.each(['udp-empty', 'udp-odd'])('is read from and written as in %s', (name) => {
    const frame = packet(name);
    const { udp, pseudo } = bound(frame);
    expect(udp.destinationPort).toBe(7);
    expect(udp.hasChecksum).toBe(true);
    expect(udp.isIntact(pseudo)).toBe(true);

    const out = new Uint8Array(UDP_HEADER_LENGTH);
    const { sourcePort, destinationPort } = udp;
    expect(
      emitUdp({ sourcePort, destinationPort }, pseudo, frame.slice(udp.payloadStart, udp.payloadEnd), out, 0),
    ).toBe(8);
    expect(out).toEqual(frame.slice(34, 42));
  });

  it('may come without a checksum', () => {
    const { udp } = bound(packet('udp-no-checksum'));
    expect(udp.hasChecksum).toBe(false);
    expect(udp.payloadEnd - udp.payloadStart).toBe(5);
  });

  it('is not intact when an octet changed', () => {
    const frame = packet('udp-odd');
    frame[42] = frame[42]! ^ 0x10;
    const { udp, pseudo } = bound(frame);
    expect(udp.isIntact(pseudo)).toBe(false);
  });

  it('never leaves with checksum zero, which would say that there is none', () => {
    const header = { sourcePort: 1, destinationPort: 2 };
    const out = new Uint8Array(8);
    emitUdp(header, 0, Uint8Array.of(0, 0), out, 0);
    const first = (out[6]! << 8) | out[7]!;
    emitUdp(header, 0, Uint8Array.of(first >> 8, first), out, 0);
    expect([...out.slice(6)]).toEqual([0xff, 0xff]);
  });

  it('is refused when its length lies', () => {
    const frame = packet('udp-odd');
    const view = new UdpView();
    expect(view.bind(frame, 34, 41)).toBe('truncated');
    frame[39] = 7;
    expect(view.bind(frame, 34, 43)).toBe('bad-length');
    frame[39] = 10;
    expect(view.bind(frame, 34, 43)).toBe('truncated');
  });
});
