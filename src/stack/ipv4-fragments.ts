/** Fragments of IPv4, RFC 791, 3.2: what `Reassembly` asks of their family. */
import { ETHERNET_HEADER_LENGTH } from '../wire/ethernet.ts';
import type { Ipv4View } from '../wire/ipv4.ts';
import { emitIpv4, IPV4_HEADER_LENGTH, IPV4_MAX_LENGTH } from '../wire/ipv4.ts';
import type { FragmentFamily } from './reassembly.ts';

export const IPV4_FRAGMENTS: FragmentFamily<Ipv4View> = {
  /** RFC 791 and RFC 1122, 3.3.2 leave the time open; Linux takes 30 s. */
  lifetime: 30_000,

  keyOf: (ip) => `${ip.source} ${ip.destination} ${ip.protocol} ${ip.identification}`,

  maxPayload: (ip) => IPV4_MAX_LENGTH - ip.headerLength,

  /** With a header of its own: no fragment, no options. */
  open(first, ip, length) {
    const frame = new Uint8Array(ETHERNET_HEADER_LENGTH + IPV4_HEADER_LENGTH + length);
    frame.set(first.subarray(0, ETHERNET_HEADER_LENGTH));
    const header = {
      totalLength: IPV4_HEADER_LENGTH + length,
      identification: ip.identification,
      dontFragment: false,
      moreFragments: false,
      fragmentOffset: 0,
      ttl: ip.ttl,
      protocol: ip.protocol,
      source: ip.source,
      destination: ip.destination,
    };
    return { frame, payloadStart: emitIpv4(header, frame, ETHERNET_HEADER_LENGTH) };
  },
};
