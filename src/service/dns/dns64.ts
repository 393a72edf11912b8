/**
 * DNS64, RFC 6147: machines that have no IPv4 are told of IPv6 addresses behind the prefix of a NAT64 where a name has IPv4 addresses only.
 *
 * Private IPv4 addresses are translated like all others, whatever the prefix: the machines of a lab and of its host have such.
 */
import { CLASS_IN, DNS_TYPE, RCODE } from '../../wire/dns-message.ts';
import type { DnsSections, EncodedRecord } from '../../wire/dns-response.ts';
import type { Ipv6Prefix } from '../../wire/ipv6-address.ts';
import { IPV6_ADDRESS_LENGTH } from '../../wire/ipv6-address.ts';

/** Octets of a prefix, in front of the IPv4 address (RFC 6052, 2.2, /96). */
const PREFIX_OCTETS = 12;
/** RFC 6147, 5.1.7: seconds, where nothing says for how long there is no other address. */
const MAX_TTL = 600;

/** Whether a question is one whose answer may have to be made; DNSSEC's validators, who set DO and CD, make their own (RFC 6147, 5.5). */
export function isForDns64({ type, class: of, flags, edns }: Question64): boolean {
  return type === DNS_TYPE.AAAA && of === CLASS_IN && !(edns?.isDnssecOk === true && (flags & CHECKING_DISABLED) !== 0);
}

interface Question64 {
  readonly type: number;
  readonly class: number;
  readonly flags: number;
  readonly edns: { readonly isDnssecOk: boolean } | undefined;
}

const CHECKING_DISABLED = 0x0010;

/** Whether the answer to the question for AAAA stands: RFC 6147, 5.1.1, 5.1.2 and 5.1.4. */
export function standsWithoutDns64({ rcode, answers }: DnsSections): boolean {
  return rcode === RCODE.nameError || answers.some((record) => record.type === DNS_TYPE.AAAA && !isMapped(record));
}

/** ::ffff:0:0/96 means nothing on a network. */
function isMapped({ data }: EncodedRecord): boolean {
  return data.subarray(0, 10).every((octet) => octet === 0) && data[10] === 0xff && data[11] === 0xff;
}

/** The answer to a question for A, as one for AAAA. */
export function synthesized(
  { rcode, answers, isAuthoritative, authorities }: DnsSections,
  { address }: Ipv6Prefix,
): DnsSections {
  const kept = answers.filter(({ type }) => type === DNS_TYPE.CNAME || type === DNS_TYPE.A);
  return {
    rcode,
    isAuthoritative,
    authorities,
    answers: kept.map((record) => {
      if (record.type !== DNS_TYPE.A) return record;
      const data = new Uint8Array(IPV6_ADDRESS_LENGTH);
      data.set(address.subarray(0, PREFIX_OCTETS));
      data.set(record.data, PREFIX_OCTETS);
      return { owner: record.owner, type: DNS_TYPE.AAAA, ttl: Math.min(record.ttl, MAX_TTL), data };
    }),
  };
}
