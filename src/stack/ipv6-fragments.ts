/** Fragments of IPv6, RFC 8200, 4.5: what `Reassembly` asks of their family, and what is wrong with one. */
import { ETHERNET_HEADER_LENGTH } from '../wire/ethernet.ts';
import {
  IPV6_HEADER_LENGTH,
  IPV6_MAX_PAYLOAD,
  IPV6_PAYLOAD_LENGTH,
  Ipv6View,
  NEXT_HEADER_ICMPV6,
} from '../wire/ipv6.ts';
import { ipv6Key } from '../wire/ipv6-address.ts';
import type { ParameterProblem } from '../wire/ipv6-extensions.ts';
import { ERRONEOUS_FIELD, EXTENSION_UNIT, FRAGMENT_OFFSET, INCOMPLETE_HEADERS } from '../wire/ipv6-extensions.ts';
import { writeUint16 } from '../wire/octets.ts';
import type { FragmentFamily } from './reassembly.ts';

const view = new Ipv6View();

export const IPV6_FRAGMENTS: FragmentFamily<Ipv6View> = {
  lifetime: 60_000,

  keyOf: (ip) => ipv6Key(ip.source) + ipv6Key(ip.destination) + ip.identification,

  maxPayload: (ip) => IPV6_MAX_PAYLOAD - unfragmentableLength(ip),

  /** With the headers before the fragment's own; the one before it names what the fragment's names. */
  open(first, _ip, length) {
    view.bind(first, ETHERNET_HEADER_LENGTH, first.length);
    view.skipExtensions();
    const { fragmentAt } = view;
    const frame = new Uint8Array(fragmentAt + length);
    frame.set(first.subarray(0, fragmentAt));
    frame[view.fragmentNamedAt] = first[fragmentAt]!;
    writeUint16(frame, ETHERNET_HEADER_LENGTH + IPV6_PAYLOAD_LENGTH, unfragmentableLength(view) + length);
    return { frame, payloadStart: fragmentAt };
  },
};

/** Octets of the extension headers before the fragment's own. */
function unfragmentableLength(ip: Ipv6View): number {
  return ip.fragmentAt - ip.start - IPV6_HEADER_LENGTH;
}

/** What the sender is told of a fragment that cannot be one, whatever the others are. */
export function fragmentProblem(bytes: Uint8Array, ip: Ipv6View): ParameterProblem | undefined {
  const length = ip.payloadEnd - ip.payloadStart;
  if (ip.moreFragments && length % EXTENSION_UNIT !== 0) return { code: ERRONEOUS_FIELD, pointer: IPV6_PAYLOAD_LENGTH };
  if (ip.fragmentOffset + length > IPV6_MAX_PAYLOAD - unfragmentableLength(ip))
    return { code: ERRONEOUS_FIELD, pointer: ip.fragmentAt + FRAGMENT_OFFSET - ip.start };
  if (ip.fragmentOffset === 0 && !hasAllHeaders(bytes, ip)) return { code: INCOMPLETE_HEADERS, pointer: 0 };
  return undefined;
}

/** RFC 7112, 5: up to that of the protocol above, whose ports or types filters look at. */
function hasAllHeaders(bytes: Uint8Array, ip: Ipv6View): boolean {
  view.bind(bytes, ip.start, ip.payloadEnd);
  view.skipExtensions();
  const problem = view.skipExtensions();
  if (problem !== undefined) return problem.kind !== 'truncated';
  return view.payloadEnd - view.payloadStart >= (HEADER_LENGTHS.get(view.nextHeader) ?? 0);
}

/** TCP, UDP, ICMPv6. */
const HEADER_LENGTHS: ReadonlyMap<number, number> = new Map([
  [6, 20],
  [17, 8],
  [NEXT_HEADER_ICMPV6, 4],
]);
