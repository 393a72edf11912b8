/**
 * What the name server knows itself: the machines of its network, the records of the lab file, and the names that mean something in
 * each network only (`special-names.ts`).
 *
 * Theory of operation. In this order: `localhost`; records, by their own name, then by the nearest wildcard; machines, by their bare
 * name or in the network's domain, and by their address; what else is in the domain or is private, which does not exist. Whatever is
 * left is asked elsewhere. Of a name that is known every type is: those without records are answered with none (RFC 2308, 2.2), so a
 * machine's HTTPS or AAAA never leaves the lab. A longer domain of a route goes before the domain it is in.
 */

import type { RecordData } from '../../wire/dns.ts';
import { encodeName, encodeRecordData } from '../../wire/dns.ts';
import { DNS_TYPE, RCODE } from '../../wire/dns-message.ts';
import type { DnsSections, EncodedRecord } from '../../wire/dns-response.ts';
import type { Ipv4, Ipv4Interface } from '../../wire/ipv4-address.ts';
import { formatIpv4 } from '../../wire/ipv4-address.ts';
import type { Ipv6 } from '../../wire/ipv6-address.ts';
import { isInIpv6Prefix, isSameIpv6 } from '../../wire/ipv6-address.ts';
import { formatIpv6 } from '../../wire/ipv6-text.ts';
import type { DnsConfig, DnsRecord, Ipv6DnsConfig, LabNames } from './dns-config.ts';
import { ipv4ReverseName, ipv4ReverseOf, ipv6ReverseOf, ipv6ReverseZone, isIpv4ReverseIn } from './reverse-names.ts';
import { domainsOf, isLocalhost, isWithin, parentOf, privateDomainOf } from './special-names.ts';

/** What is known of a name and a type. */
export interface LocalAnswer extends DnsSections {
  /** An alias leads to this name, which must be asked elsewhere for the rest of the answer. */
  readonly onward?: string;
}

/** Seconds, of what the lab file does not say otherwise, and of machines, which may leave at any time. */
const DEFAULT_TTL = 60;
/** Seconds for which "there is none" may be kept. Short: a machine may come at any time. */
const NEGATIVE_TTL = 10;
/** Aliases that are followed; a longer chain is a loop. */
const MAX_ALIASES = 8;
/** The gateway's name in the domain. */
const GATEWAY = 'gateway';

/** A record's type as a number, with its data. */
interface LocalRecord {
  readonly type: number;
  readonly ttl: number;
  readonly data: Uint8Array;
  /** An alias's target. */
  readonly target?: string;
}

/** What is known of one name: its records, and the zone that answers; without a zone it is an overlay of somebody else's. */
interface Known {
  readonly records: readonly LocalRecord[];
  readonly zone: string | undefined;
  readonly exists: boolean;
}

export class LocalZone {
  readonly #domain: string | undefined;
  readonly #interface: Ipv4Interface | undefined;
  readonly #ipv6: Ipv6DnsConfig | undefined;
  readonly #address: Ipv4 | undefined;
  readonly #names: LabNames;
  /** By owner; a wildcard's key begins with `*.`. */
  readonly #records = new Map<string, LocalRecord[]>();
  /** Names of the domain that have something below them. */
  readonly #parents = new Set<string>();
  readonly #routes: ReadonlySet<string>;
  /** Records of the lab file that cannot be written. */
  readonly unusable: readonly DnsRecord[];

  constructor(config: DnsConfig, at: Ipv4Interface | undefined, names: LabNames) {
    this.#domain = config.domain === undefined ? undefined : lowered(config.domain);
    this.#interface = at;
    this.#address = config.address;
    this.#ipv6 = config.ipv6;
    this.#names = names;
    this.#routes = new Set(config.routes.map(({ domain }) => lowered(domain)));
    this.unusable = config.records.filter((record) => !this.#add(record));
  }

  #add(record: DnsRecord): boolean {
    const encoded = localRecord(record, record.ttl ?? DEFAULT_TTL);
    if (encoded === undefined || encodeName(record.name) === undefined) return false;
    const owner = this.#full(lowered(record.name));
    const others = this.#records.get(owner);
    if (others === undefined) this.#records.set(owner, [encoded]);
    else others.push(encoded);
    if (this.#domain !== undefined && isWithin(owner, this.#domain))
      for (const parent of domainsOf(parentOf(owner))) this.#parents.add(parent);
    return true;
  }

  /** A bare name is one of the domain. */
  #full(name: string): string {
    return name === '' || name.includes('.') || this.#domain === undefined ? name : `${name}.${this.#domain}`;
  }

  /** What is known of the name; undefined where somebody else is to be asked. */
  find(name: string, type: number): LocalAnswer | undefined {
    const answers: EncodedRecord[] = [];
    const followed = new Set<string>();
    for (let asked = name; ; ) {
      const known = this.#lookUp(asked, type);
      if (known === undefined) return asked === name ? undefined : { ...positive(answers, false), onward: asked };
      const owner = asked === name ? undefined : encodeName(asked);
      const own = known.records.filter((record) => record.type === type || type === DNS_TYPE.ANY);
      const alias = known.records.find(({ target }) => target !== undefined);
      for (const record of own.length > 0 || alias === undefined ? own : [alias]) answers.push({ ...record, owner });
      if (own.length > 0 || alias?.target === undefined) return this.#answer(answers, known, own.length > 0);
      followed.add(asked);
      asked = alias.target;
      if (followed.has(asked) || followed.size >= MAX_ALIASES)
        return { rcode: RCODE.serverFailure, isAuthoritative: false, answers: [], authorities: [] };
    }
  }

  #answer(answers: readonly EncodedRecord[], { zone, exists }: Known, isFound: boolean): LocalAnswer {
    if (isFound) return positive(answers, zone !== undefined);
    return {
      rcode: exists ? RCODE.noError : RCODE.nameError,
      isAuthoritative: zone !== undefined,
      answers,
      authorities: zone === undefined ? [] : [this.#soa(zone)],
    };
  }

  #lookUp(name: string, type: number): Known | undefined {
    if (isLocalhost(name)) return found(LOCALHOST, 'localhost');
    if (name === IPV4_ONLY && this.#ipv6?.nat64 !== undefined) return found(IPV4_ONLY_ADDRESSES, IPV4_ONLY);
    const full = this.#full(name);
    const zone = this.#domain !== undefined && isWithin(full, this.#domain) ? this.#domain : undefined;
    const own = this.#records.get(full);
    if (own !== undefined) return found(own, zone);
    const machine = this.#machine(name, full);
    if (machine.length > 0) return found(machine, zone ?? name);
    const wild = this.#wildcard(full);
    if (wild !== undefined) return found(wild, zone);
    if (this.#routedWithin(full, zone)) return undefined;
    if (zone !== undefined && (name.includes('.') || !isAboutZone(type))) {
      const exists = full === zone || this.#parents.has(full);
      return { records: full === zone ? this.#apex(zone) : [], zone, exists };
    }
    return this.#reverse(name) ?? this.#private(name, type);
  }

  /** Whether a route is about the name, and a longer one than the zone. */
  #routedWithin(name: string, zone: string | undefined): boolean {
    for (const domain of domainsOf(name)) {
      if (domain === zone) return false;
      if (this.#routes.has(domain)) return true;
    }
    return false;
  }

  /** The addresses of a machine, by its bare name or in the domain. */
  #machine(name: string, full: string): readonly LocalRecord[] {
    const isInDomain = this.#domain !== undefined && parentOf(full) === this.#domain;
    if (name.includes('.') && !isInDomain) return [];
    const host = isInDomain ? full.slice(0, full.indexOf('.')) : name;
    if (host === '') return [];
    const addresses = this.#names.addressesOf(host);
    const isOurs = host === GATEWAY && addresses.length === 0 && isInDomain;
    const own = [this.#interface, this.#ipv6?.interface].flatMap((at) => at?.address ?? []);
    return (isOurs ? own : addresses).flatMap((address) => addressRecord(address));
  }

  #wildcard(name: string): readonly LocalRecord[] | undefined {
    for (const domain of domainsOf(parentOf(name))) {
      const records = this.#records.get(`*.${domain}`);
      if (records !== undefined) return records;
    }
    return undefined;
  }

  #reverse(name: string): Known | undefined {
    const reverse = ipv4ReverseOf(name);
    if (reverse === undefined) return this.#ipv6Reverse(name);
    const host = reverse.address === undefined ? undefined : this.#hostAt(reverse.address);
    const isHere = this.#interface !== undefined && isIpv4ReverseIn(reverse, this.#interface);
    if (host === undefined && !isHere) return undefined;
    const pointers = this.#pointers(host);
    return {
      records: pointers,
      zone: reverse.zone,
      exists: pointers.length > 0 || reverse.address === undefined,
    };
  }

  #ipv6Reverse(name: string): Known | undefined {
    if (!name.endsWith('.ip6.arpa')) return undefined;
    const address = ipv6ReverseOf(name);
    const embedded = address && this.#embedded(address);
    if (embedded !== undefined) {
      // RFC 6147, 5.3.1: the name of the IPv4 address is the answer
      const alias = encodedRecords({ type: 'CNAME', target: ipv4ReverseName(embedded) });
      return found(alias, ipv6ReverseZone(this.#ipv6!.nat64!));
    }
    const own = this.#ipv6 && ipv6ReverseZone(this.#ipv6.interface);
    const host = address && this.#hostAt(address);
    const zone =
      own !== undefined && isWithin(name, own) ? own : host && ipv6ReverseZone({ address: address!, prefixLength: 64 });
    if (zone === undefined) return undefined;
    const pointers = this.#pointers(host);
    return { records: pointers, zone, exists: pointers.length > 0 || address === undefined };
  }

  /** The IPv4 address behind the prefix of NAT64. */
  #embedded(address: Ipv6): Uint8Array | undefined {
    const nat64 = this.#ipv6?.nat64;
    return nat64 !== undefined && isInIpv6Prefix(nat64, address) ? address.subarray(12) : undefined;
  }

  #pointers(host: string | undefined): readonly LocalRecord[] {
    return host === undefined ? [] : encodedRecords({ type: 'PTR', target: this.#full(lowered(host)) });
  }

  #hostAt(address: Ipv4 | Ipv6): string | undefined {
    const isOurs =
      typeof address === 'number'
        ? address === this.#interface?.address || address === this.#address
        : [this.#ipv6?.address, this.#ipv6?.interface.address].some((own) => own && isSameIpv6(own, address));
    return this.#names.nameOf(address) ?? (isOurs && this.#domain !== undefined ? GATEWAY : undefined);
  }

  /** What exists nowhere: private domains, and bare names, unless the question is about a domain of the world (validators ask). */
  #private(name: string, type: number): Known | undefined {
    if (name === '1.0.0.127.in-addr.arpa')
      return found(encodedRecords({ type: 'PTR', target: 'localhost' }), '127.in-addr.arpa');
    const isBare = name !== '' && !name.includes('.');
    const zone = privateDomainOf(name) ?? (isBare && !isAboutZone(type) ? name : undefined);
    return zone === undefined ? undefined : { records: [], zone, exists: name === zone && !isBare };
  }

  #apex(zone: string): readonly LocalRecord[] {
    const { data } = this.#soa(zone);
    const servers = encodedRecords({ type: 'NS', target: `${GATEWAY}.${zone}` });
    return [{ type: DNS_TYPE.SOA, ttl: DEFAULT_TTL, data }, ...servers];
  }

  #soa(zone: string): EncodedRecord {
    const server = this.#domain === undefined ? zone : `${GATEWAY}.${this.#domain}`;
    const data = encodeRecordData({
      type: 'SOA',
      server,
      mailbox: `hostmaster.${this.#domain ?? zone}`.length > 250 ? '' : `hostmaster.${this.#domain ?? zone}`,
      serial: 1,
      refresh: 3600,
      retry: 600,
      expire: 86_400,
      minimum: NEGATIVE_TTL,
    });
    const octets = typeof data === 'string' ? new Uint8Array(22) : data;
    return { owner: encodeName(zone), type: DNS_TYPE.SOA, ttl: NEGATIVE_TTL, data: octets };
  }
}

const LOCALHOST: readonly LocalRecord[] = [
  ...encodedRecords({ type: 'A', address: '127.0.0.1' }),
  ...encodedRecords({ type: 'AAAA', address: '::1' }),
];

/** RFC 8880, 7.1: who translates answers this himself; by it hosts find out the prefix (RFC 7050). */
const IPV4_ONLY = 'ipv4only.arpa';
const IPV4_ONLY_ADDRESSES: readonly LocalRecord[] = ['192.0.0.170', '192.0.0.171'].flatMap((address) =>
  encodedRecords({ type: 'A', address }),
);

/** Types by which a resolver finds its way through the world's domains, whose uppermost names are bare. */
function isAboutZone(type: number): boolean {
  return type === DNS_TYPE.NS || type === DNS_TYPE.SOA || type === DNS_TYPE.DS || type === DNS_TYPE.DNSKEY;
}

function found(records: readonly LocalRecord[], zone: string | undefined): Known {
  return { records, zone, exists: true };
}

function positive(answers: readonly EncodedRecord[], isAuthoritative: boolean): LocalAnswer {
  return { rcode: RCODE.noError, isAuthoritative, answers, authorities: [] };
}

function addressRecord(address: Ipv4 | Ipv6): readonly LocalRecord[] {
  if (typeof address === 'number') return encodedRecords({ type: 'A', address: formatIpv4(address) });
  return encodedRecords({ type: 'AAAA', address: formatIpv6(address) });
}

function encodedRecords(data: RecordData): readonly LocalRecord[] {
  const record = localRecord(data, DEFAULT_TTL);
  return record === undefined ? [] : [record];
}

function localRecord(data: RecordData, ttl: number): LocalRecord | undefined {
  const octets = encodeRecordData(data);
  if (typeof octets === 'string') return undefined;
  const record = { type: DNS_TYPE[data.type], ttl, data: octets };
  return data.type === 'CNAME' ? { ...record, target: lowered(data.target) } : record;
}

function lowered(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
