/** Questions and answers of the Domain Name System in words. */
import { decodeAnswers } from '../../wire/dns.ts';
import { DNS_FLAG, DNS_HEADER_LENGTH, DNS_TYPE, dnsFlags, parseDnsQuery, RCODE_MASK } from '../../wire/dns-message.ts';
import { formatIpv4 } from '../../wire/ipv4-address.ts';
import { readUint32 } from '../../wire/octets.ts';

export interface DnsSentence {
  readonly sentence: string;
  /** The name that was found, in an answer that has an address. */
  readonly found?: string;
}

/** Of a whole message; undefined where it asks for something else than an IPv4 address. */
export function dnsSentence(message: Uint8Array, from: string, to: string): DnsSentence | undefined {
  if (message.length < DNS_HEADER_LENGTH) return undefined;
  const query = parseDnsQuery(message, 0, message.length);
  if (typeof query === 'string' || query.type !== DNS_TYPE.A) return undefined;
  const { name } = query;
  const flags = dnsFlags(message, 0);
  if ((flags & DNS_FLAG.response) === 0) return { sentence: `${from} asks ${to}: which address has ${name}? (DNS)` };
  const records = decodeAnswers(message, 0);
  if (typeof records === 'string') return undefined;
  const addresses = records
    .filter(({ type }) => type === DNS_TYPE.A)
    .map(({ data }) => formatIpv4(readUint32(data, 0)));
  if (addresses.length > 0)
    return { sentence: `${from} tells ${to}: ${name} is at ${addresses.join(', ')} (DNS)`, found: name };
  return { sentence: `${from} tells ${to}: I know no address of ${name} (DNS code ${flags & RCODE_MASK})` };
}
