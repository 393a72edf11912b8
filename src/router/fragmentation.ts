/** A packet on its way, cut into fragments that the next network takes (RFC 791, 3.2; RFC 1812, 4.2.2.7). */
import { ETHERNET_HEADER_LENGTH, ETHERTYPE_IPV4, emitEthernet } from '../wire/ethernet.ts';
import type { Ipv4View } from '../wire/ipv4.ts';
import { emitIpv4, FRAGMENT_UNIT, IPV4_HEADER_LENGTH, sealHeader } from '../wire/ipv4.ts';
import { copiedOptions } from './ipv4-options.ts';

/**
 * Frames without link addresses, each with a packet of at most `mtu` octets, in order. The packet may be a fragment itself. Each has the
 * time to live that the packet has. `mtu` has room for the longest header and eight octets, as RFC 791 asks of every network.
 */
export function fragmentsOf(bytes: Uint8Array, ip: Ipv4View, mtu: number): readonly Uint8Array[] {
  const optionsAt = ip.start + IPV4_HEADER_LENGTH;
  const length = ip.payloadEnd - ip.payloadStart;
  const fragments: Uint8Array[] = [];
  let options = bytes.subarray(optionsAt, ip.payloadStart);
  for (let from = 0; from < length; ) {
    const room = mtu - IPV4_HEADER_LENGTH - options.length;
    const to = Math.min(length, from + room - (room % FRAGMENT_UNIT));
    fragments.push(fragment(bytes, ip, options, from, to));
    if (from === 0) options = copiedOptions(bytes, optionsAt, ip.payloadStart);
    from = to;
  }
  return fragments;
}

/** Octets [from, to) of the payload. */
function fragment(bytes: Uint8Array, ip: Ipv4View, options: Uint8Array, from: number, to: number): Uint8Array {
  const headerLength = IPV4_HEADER_LENGTH + options.length;
  const frame = new Uint8Array(ETHERNET_HEADER_LENGTH + headerLength + to - from);
  const at = emitEthernet(frame, 0, 0, 0, ETHERTYPE_IPV4);
  const header = {
    totalLength: headerLength + to - from,
    identification: ip.identification,
    dontFragment: false,
    moreFragments: ip.moreFragments || to < ip.payloadEnd - ip.payloadStart,
    fragmentOffset: ip.fragmentOffset + from,
    ttl: ip.ttl,
    protocol: ip.protocol,
    source: ip.source,
    destination: ip.destination,
  };
  const optionsAt = emitIpv4(header, frame, at);
  frame.set(options, optionsAt);
  sealHeader(frame, at, ip.typeOfService, headerLength);
  frame.set(bytes.subarray(ip.payloadStart + from, ip.payloadStart + to), optionsAt + options.length);
  return frame;
}
