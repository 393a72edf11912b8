import { Address6 } from 'ip-address';
import type { Random } from '../../src/base/chance.ts';
import { SeededRandom } from '../../src/base/chance.ts';
import { batchOf, sliceOf } from '../../src/link/frame-batch.ts';
import { Stack } from '../../src/stack/stack.ts';
import { ETHERTYPE_IPV6, emitEthernet } from '../../src/wire/ethernet.ts';
import { Icmpv6View, isIcmpv6Error, sealIcmpv6 } from '../../src/wire/icmpv6.ts';
import { emitIpv6, Ipv6View, ipv6PseudoHeaderSum, NEXT_HEADER_ICMPV6 } from '../../src/wire/ipv6.ts';
import type { Ipv6 } from '../../src/wire/ipv6-address.ts';
import type { FragmentHeader } from '../../src/wire/ipv6-extensions.ts';
import { emitFragmentHeader } from '../../src/wire/ipv6-extensions.ts';
import type { Mac } from '../../src/wire/mac.ts';
import { formatMac, readMac } from '../../src/wire/mac.ts';
import type { NdpMessage } from '../../src/wire/ndp.ts';
import { emitNdp, isNdpType, parseNdp } from '../../src/wire/ndp.ts';
import { readUint16 } from '../../src/wire/octets.ts';
import { emitUdp } from '../../src/wire/udp.ts';
import { ManualScheduler } from './manual-scheduler.ts';

/** Two machines of the packets in `fixtures`: the station under test is the second one, `ONE` asks. */
export const ONE = { mac: 0x5254000a0001, address: ip6('fe80::5054:ff:fe0a:1'), global: ip6('fd00::1') };
export const TWO = { mac: 0x5254000a0002, address: ip6('fe80::5054:ff:fe0a:2'), global: ip6('fd00::2') };

export function ip6(text: string): Ipv6 {
  const groups = new Address6(text).canonicalForm().split(':');
  return Uint8Array.from(
    groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]),
  );
}

export function formatIp6(address: Ipv6): string {
  return Address6.fromUnsignedByteArray([...address]).correctForm();
}

/** A stack at `TWO`, whose wire the test holds. */
export class Wire6 {
  readonly scheduler = new ManualScheduler();
  readonly random: Random = new SeededRandom(1);
  readonly stack: Stack;
  #sent: Uint8Array[] = [];

  /** `isConfigured`: the stack has `TWO.global`, its prefix on the link, and `ONE` as its router; its groups are told already. */
  constructor({ mtu = 1500, takesTransit = false, isConfigured = false } = {}) {
    this.stack = new Stack({ mac: TWO.mac, mtu, scheduler: this.scheduler, random: this.random, takesTransit });
    if (isConfigured) {
      const defaultRoute = ONE.address;
      this.stack.configure({ ipv6: { interface: { address: TWO.global, prefixLength: 64 }, defaultRoute } });
      this.scheduler.advance(1000);
    }
    this.stack.attach({
      push: (batch, first, end) => {
        for (let i = first; i < end; i++) this.#sent.push(sliceOf(batch, i));
      },
    });
  }

  deliver(...frames: readonly Uint8Array[]): void {
    this.stack.push(batchOf(frames), 0, frames.length);
  }

  /** What was sent since the last call. */
  take(): Uint8Array[] {
    const sent = this.#sent;
    this.#sent = [];
    return sent;
  }

  /** The same, in words. */
  said(): string[] {
    return this.take().map(tell6);
  }

  drops(): Record<string, number> {
    return this.stack.drops.toRecord();
  }
}

export interface Packet6Fields {
  readonly source?: Ipv6;
  readonly destination?: Ipv6;
  readonly hopLimit?: number;
  readonly nextHeader?: number;
  readonly fromMac?: Mac;
  readonly toMac?: Mac;
}

/** A packet from `ONE` to `TWO`, but for what `fields` says. */
export function ipv6Frame(payload: Uint8Array, fields: Packet6Fields = {}): Uint8Array {
  const { fromMac = ONE.mac, toMac = TWO.mac, ...header } = fields;
  const frame = new Uint8Array(54 + payload.length);
  const whole = {
    source: ONE.address,
    destination: TWO.address,
    hopLimit: 255,
    nextHeader: NEXT_HEADER_ICMPV6,
    payloadLength: payload.length,
    ...header,
  };
  frame.set(payload, emitIpv6(whole, frame, emitEthernet(frame, 0, toMac, fromMac, ETHERTYPE_IPV6)));
  return frame;
}

/** The same with an ICMPv6 message, whose checksum is made right. */
export function icmpv6Frame(message: Uint8Array, fields: Packet6Fields = {}): Uint8Array {
  const frame = ipv6Frame(message, fields);
  resealIcmpv6(frame);
  return frame;
}

/** A UDP datagram from `ONE` to `TWO` at their global addresses, but for what is said. */
export function udp6Payload(
  destinationPort: number,
  payload: Uint8Array,
  destination = TWO.global,
  source = ONE.global,
): Uint8Array {
  const bytes = new Uint8Array(8 + payload.length);
  bytes.set(payload, 8);
  const sum = ipv6PseudoHeaderSum(source, destination, 17, bytes.length);
  emitUdp({ sourcePort: 5000, destinationPort }, sum, payload, bytes, 0);
  return bytes;
}

/** `payload` of `nextHeader` in fragments of `size` octets, from `ONE` to `TWO` at their global addresses. */
export function fragments6(payload: Uint8Array, size: number, nextHeader = 17, identification = 7): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let fragmentOffset = 0; fragmentOffset < payload.length; fragmentOffset += size) {
    const piece = payload.subarray(fragmentOffset, fragmentOffset + size);
    const moreFragments = fragmentOffset + size < payload.length;
    frames.push(fragment6(piece, { nextHeader, fragmentOffset, moreFragments, identification }));
  }
  return frames;
}

export function fragment6(piece: Uint8Array, header: FragmentHeader): Uint8Array {
  const out = new Uint8Array(8 + piece.length);
  out.set(piece, emitFragmentHeader(header, out, 0));
  return ipv6Frame(out, { nextHeader: 44, source: ONE.global, destination: TWO.global });
}

export function ndpFrame(message: NdpMessage, fields: Packet6Fields = {}): Uint8Array {
  const out = new Uint8Array(100);
  return icmpv6Frame(out.slice(0, emitNdp(message, out, 0)), fields);
}

/** Makes the checksum of an ICMPv6 message behind a plain IPv6 header right again. */
export function resealIcmpv6(frame: Uint8Array): void {
  const { length } = frame;
  if (length < 58) return;
  frame[56] = frame[57] = 0;
  const sum = ipv6PseudoHeaderSum(frame.subarray(22, 38), frame.subarray(38, 54), NEXT_HEADER_ICMPV6, length - 54);
  sealIcmpv6(frame, 54, length, sum);
}

/** A frame in words; one that a receiver would refuse is said to be broken. */
export function tell6(frame: Uint8Array): string {
  const ip = new Ipv6View();
  if (readUint16(frame, 12) !== ETHERTYPE_IPV6) return 'no ipv6';
  const defect = ip.bind(frame, 14, frame.length) ?? ip.skipExtensions()?.kind;
  if (defect !== undefined) return `broken ipv6: ${defect}`;
  const to = formatMac(readMac(frame, 0));
  return `${formatIp6(ip.source)} > ${formatIp6(ip.destination)} ${tellMessage(frame, ip)} (to ${to})`;
}

function tellMessage(frame: Uint8Array, ip: Ipv6View): string {
  const { payloadStart, payloadEnd, nextHeader } = ip;
  const octets = `${payloadEnd - payloadStart} octets`;
  if (ip.isFragment) return `fragment of ${nextHeader} at ${ip.fragmentOffset}${ip.moreFragments ? '+' : ''} ${octets}`;
  if (nextHeader !== NEXT_HEADER_ICMPV6) return `next header ${nextHeader} ${octets}`;
  const message = new Icmpv6View();
  const sum = ipv6PseudoHeaderSum(ip.source, ip.destination, NEXT_HEADER_ICMPV6, payloadEnd - payloadStart);
  const defect = message.bind(frame, payloadStart, payloadEnd, sum);
  if (defect !== undefined) return `broken icmpv6: ${defect}`;
  if (isIcmpv6Error(message.type)) return `icmpv6 ${message.type}/${message.code} ${message.parameter}`;
  if (!isNdpType(message.type)) return `icmpv6 ${message.type} ${payloadEnd - payloadStart - 8} octets`;
  const ndp = parseNdp(frame, ip);
  if (typeof ndp === 'string') return `broken ndp: ${ndp}`;
  if (ndp.kind === 'neighbour-solicitation') return `who has ${formatIp6(ndp.target)}`;
  if (ndp.kind !== 'neighbour-advertisement') return ndp.kind;
  const flags = `${ndp.isRouter ? 'R' : ''}${ndp.isSolicited ? 'S' : ''}${ndp.isOverride ? 'O' : ''}`;
  return `${formatIp6(ndp.target)} is at ${ndp.targetMac === undefined ? '?' : formatMac(ndp.targetMac)} ${flags}`;
}
