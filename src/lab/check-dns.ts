/** Checks what a network's name server is told, and makes its configuration of it. */
import type { IssuePath } from '../base/issue.ts';
import type { DnsConfig, DnsRecord, Ipv6DnsConfig } from '../service/dns/dns-config.ts';
import { formatAddress } from '../wire/endpoint-text.ts';
import type { Ipv4Interface } from '../wire/ipv4-address.ts';
import { formatIpv4 } from '../wire/ipv4-address.ts';
import { formatIpv6 } from '../wire/ipv6-text.ts';
import type { CheckedIpv6 } from './check-ipv6.ts';
import type { Report } from './check-networks.ts';
import { isDomain } from './names.ts';
import type { DnsEntry, RecordEntry } from './schema-dns.ts';
import type { SoundLab } from './schema-issues.ts';
import type { NetworkEntry } from './schema-network.ts';

/** `.internal` is reserved for networks such as these. */
const DEFAULT_DOMAIN = 'lab.internal';
const DNS_PORT = 53;

/** The network's own domain: what DHCP tells is what the name server answers for. Without a name server there is one only where DHCP tells it. */
export function domainOf({ dhcp, dns }: NetworkEntry): string | undefined {
  const told = dhcp === false ? undefined : dhcp?.domain;
  if (dns === false) return told;
  return (dns?.domain ?? told ?? DEFAULT_DOMAIN).toLowerCase();
}

/** Where the name server may answer. */
export interface DnsPlaces {
  readonly own: Ipv4Interface | undefined;
  readonly ipv6: CheckedIpv6 | undefined;
}

/** Undefined where the network has no name server. `nodes` are the machines on the network. */
export function checkDns(
  entry: NetworkEntry,
  places: DnsPlaces,
  nodes: ReadonlySet<string>,
  networkPath: IssuePath,
  sound: SoundLab,
  report: Report,
): DnsConfig | undefined {
  const { dns = {}, dhcp } = entry;
  const domain = domainOf(entry);
  if (dns === false || domain === undefined) return undefined;
  const path = [...networkPath, 'dns'];
  if (dns.domain !== undefined && dhcp !== false && dhcp?.domain !== undefined) {
    const message = "the network's domain stands in dhcp already";
    report({ code: 'domain-twice', path: [...path, 'domain'], message, hint: 'remove one of them' });
  }
  const isClosed = entry.gateway === 'isolated' || entry.restrict === true;
  if (isClosed) reportClosed(dns, path, report);
  const asksNobody = isClosed || (entry.gateway === 'routed' && dns.upstream === undefined);
  const upstream = asksNobody ? [] : checkUpstream(dns, places, path, report);
  const { own, ipv6 } = places;
  return {
    ...(own !== undefined && { address: own.address }),
    ...(ipv6 !== undefined && { ipv6: ipv6Dns(ipv6) }),
    domain,
    records: checkRecords(dns.records ?? [], { domain, nodes, path: [...path, 'records'], sound }, report),
    routes: isClosed ? [] : checkRoutes(dns, domain, places, path, report),
    ...(upstream !== undefined && { upstream }),
  };
}

function ipv6Dns({ interface: own, nat64 }: CheckedIpv6): Ipv6DnsConfig {
  return { address: own.address, interface: own, ...(nat64 !== undefined && { nat64 }) };
}

/** Names, too, are a way out. */
function reportClosed(dns: DnsEntry, path: IssuePath, report: Report): void {
  for (const key of ['forward', 'upstream'] as const) {
    const value = dns[key];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    report({
      code: 'no-way-out',
      path: [...path, key],
      message: 'nobody outside is asked for a network without a way out',
      hint: 'remove it, or write gateway: nat without restrict',
      isAboutKey: true,
    });
  }
}

type Servers = NonNullable<DnsConfig['upstream']>;

function checkUpstream(
  { upstream }: DnsEntry,
  places: DnsPlaces,
  path: IssuePath,
  report: Report,
): Servers | undefined {
  if (upstream === undefined || upstream === 'host') return undefined;
  return serversOf(upstream, places, [...path, 'upstream'], report);
}

function checkRoutes(
  { forward = {} }: DnsEntry,
  own: string,
  places: DnsPlaces,
  path: IssuePath,
  report: Report,
): DnsConfig['routes'] {
  return Object.entries(forward).map(([key, value]) => {
    const at = [...path, 'forward', key];
    const domain = key.replace(/\.$/, '').toLowerCase();
    if (!isDomain(domain)) {
      const message = `${JSON.stringify(key)} is not a domain name`;
      report({ code: 'bad-domain', path: at, message, hint: 'write it as corp.example.org', isAboutKey: true });
    } else if (domain === own) {
      const message = `names in ${own} are the network's own and never leave it`;
      report({ code: 'own-domain', path: at, message, hint: 'forward another domain', isAboutKey: true });
    }
    const servers = serversOf(Array.isArray(value) ? value : [value], places, at, report, Array.isArray(value));
    if (Array.isArray(value) && value.length === 0)
      report({ code: 'empty', path: at, message: 'there is nobody to ask', hint: 'name a server, or remove it' });
    return { domain, servers };
  });
}

function serversOf(
  list: readonly (Servers[number] | undefined)[],
  { own, ipv6 }: DnsPlaces,
  path: IssuePath,
  report: Report,
  isList = true,
): Servers {
  for (const [i, server] of list.entries()) {
    if (server === undefined || server.port !== DNS_PORT) continue;
    const text = formatAddress(server.address);
    const isItself = [own && formatIpv4(own.address), ipv6 && formatIpv6(ipv6.interface.address)].includes(text);
    if (!isItself) continue;
    const message = `${text} is this name server itself`;
    report({ code: 'asks-itself', path: isList ? [...path, i] : path, message, hint: 'name another server' });
  }
  return list.filter((server) => server !== undefined);
}

/** Of a record: what says its type. */
const TYPES = ['a', 'aaaa', 'cname', 'txt', 'srv', 'mx'] as const;

interface RecordPlace {
  readonly domain: string;
  readonly nodes: ReadonlySet<string>;
  readonly path: IssuePath;
  readonly sound: SoundLab;
}

function checkRecords(
  entries: readonly (RecordEntry | undefined)[],
  { domain, nodes, path, sound }: RecordPlace,
  report: Report,
): readonly DnsRecord[] {
  const owners = entries.map((entry) => entry && wholeName(entry.name, domain));
  for (const [i, entry] of entries.entries()) {
    if (entry === undefined) continue;
    const at = [...path, i];
    const types = TYPES.filter((type) => entry[type] !== undefined);
    if (types.length > 1 || (types.length === 0 && !sound.hasFaultIn(at))) {
      const message = types.length === 0 ? 'the record says nothing' : `a record is one of ${types.join(' and ')}`;
      const hint = types.length === 0 ? `add one of ${TYPES.join(', ')}` : 'write a record for each';
      report({ code: 'bad-record', path: at, message, hint });
    }
    const isAlias = types.includes('cname');
    // RFC 1034, 3.6.2: no other data beside an alias
    if (isAlias && owners.filter((owner) => owner === owners[i]).length > 1) {
      const message = `${owners[i]} is an alias and has other records`;
      report({ code: 'alias-not-alone', path: [...at, 'cname'], message, hint: 'remove it, or the others' });
    }
    const node = [...nodes, 'gateway'].find((name) => `${name}.${domain}` === owners[i]);
    if (node !== undefined && (isAlias || types.includes('a'))) {
      const message = `${node} is the name of a station of this network`;
      report({ code: 'name-taken', path: [...at, 'name'], message, hint: 'take another name' });
    }
  }
  return entries.flatMap((entry) => (entry === undefined ? [] : recordsOf(entry, domain)));
}

function recordsOf(entry: RecordEntry, domain: string): readonly DnsRecord[] {
  const { name, ttl } = entry;
  const lived = { name: wholeName(name, domain), ...(ttl !== undefined && { ttl }) };
  const whole = (target: string) => wholeName(target, domain);
  return [
    ...several(entry.a).map((value) => ({ ...lived, type: 'A' as const, address: formatIpv4(value) })),
    ...several(entry.aaaa).map((address) => ({ ...lived, type: 'AAAA' as const, address })),
    ...several(entry.cname).map((target) => ({ ...lived, type: 'CNAME' as const, target: whole(target) })),
    ...several(entry.txt).map((value) => ({ ...lived, type: 'TXT' as const, texts: pieces(value) })),
    ...several(entry.srv).map((value) => ({ ...lived, type: 'SRV' as const, ...value, target: whole(value.target) })),
    ...several(entry.mx).map((value) => ({ ...lived, type: 'MX' as const, ...value, exchange: whole(value.exchange) })),
  ];
}

function several<Value>(value: Value | readonly (Value | undefined)[] | undefined): readonly Value[] {
  return (Array.isArray(value) ? value : [value]).filter((each) => each !== undefined);
}

/** `*.` and the labels of RFC 2782 in front say nothing about where a name belongs. */
const LEADERS = /^(\*(\.|$))?(_[^.]*(\.|$))*/;

/** A name without a dot is in the network's domain. */
function wholeName(name: string, domain: string): string {
  return name.replace(LEADERS, '').includes('.') ? name : `${name}.${domain}`;
}

/** Octets of one character string, RFC 1035, 3.3. */
const MAX_STRING_OCTETS = 255;

/** A text as character strings; what is longer than one is several. */
function pieces(text: string): readonly string[] {
  const found: string[] = [];
  let piece = '';
  let octets = 0;
  for (const letter of text) {
    const more = new TextEncoder().encode(letter).length;
    if (octets + more > MAX_STRING_OCTETS) {
      found.push(piece);
      piece = '';
      octets = 0;
    }
    piece += letter;
    octets += more;
  }
  return [...found, piece];
}
