import { describe, expect, it } from 'vitest';
import { ARP_LENGTH, emitArp, parseArp } from '../../src/wire/arp.ts';
import { ETHERNET_HEADER_LENGTH } from '../../src/wire/ethernet.ts';
import { parseIpv4 } from '../../src/wire/ipv4-address.ts';
import { packet } from '../support/packets.ts';

const ONE = { mac: 0x5254000a0001, address: parseIpv4('10.9.0.1')! };
const TWO = { mac: 0x5254000a0002, address: parseIpv4('10.9.0.2')! };

const table = [
  {
    name: 'arp-request',
    message: {
      operation: 'request',
      senderMac: ONE.mac,
      senderAddress: ONE.address,
      targetMac: 0,
      targetAddress: TWO.address,
    },
  },
  {
    name: 'arp-probe',
    message: {
      operation: 'request',
      senderMac: ONE.mac,
      senderAddress: 0,
      targetMac: 0xffffffffffff,
      targetAddress: TWO.address,
    },
  },
  {
    name: 'arp-probe-reply',
    message: {
      operation: 'reply',
      senderMac: TWO.mac,
      senderAddress: TWO.address,
      targetMac: ONE.mac,
      targetAddress: 0,
    },
  },
  {
    name: 'arp-announcement',
    message: {
      operation: 'request',
      senderMac: ONE.mac,
      senderAddress: ONE.address,
      targetMac: 0xffffffffffff,
      targetAddress: ONE.address,
    },
  },
  {
    name: 'arp-reply-padded',
    message: {
      operation: 'reply',
      senderMac: 0x52550a000202,
      senderAddress: parseIpv4('10.0.2.2')!,
      targetMac: 0x525400123456,
      targetAddress: parseIpv4('10.0.2.15')!,
    },
  },
] as const;

describe('an ARP message', () => {
  it.each(table)('is read from $name', ({ name, message }) => {
    const frame = packet(name);
    expect(parseArp(frame, ETHERNET_HEADER_LENGTH, frame.length)).toEqual(message);
  });

  it.each(table)('is written as in $name', ({ name, message }) => {
    const out = new Uint8Array(ARP_LENGTH + 2);
    expect(emitArp(message, out, 1)).toBe(1 + ARP_LENGTH);
    expect(out.slice(1, -1)).toEqual(packet(name).slice(ETHERNET_HEADER_LENGTH, ETHERNET_HEADER_LENGTH + ARP_LENGTH));
  });

  it.each([
    { defect: 'truncated', change: (bytes: Uint8Array) => bytes.slice(0, -1) },
    { defect: 'bad-value', change: (bytes: Uint8Array) => bytes.fill(6, 1, 2) },
    { defect: 'bad-value', change: (bytes: Uint8Array) => bytes.fill(0x86, 2, 3) },
    { defect: 'bad-length', change: (bytes: Uint8Array) => bytes.fill(16, 5, 6) },
    { defect: 'bad-value', change: (bytes: Uint8Array) => bytes.fill(8, 7, 8) },
  ])('is refused as $defect', ({ defect, change }) => {
    const bytes = change(packet('arp-request').slice(ETHERNET_HEADER_LENGTH));
    expect(parseArp(bytes, 0, bytes.length)).toBe(defect);
  });
});
