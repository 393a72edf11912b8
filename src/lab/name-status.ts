/** Which names a network's name server knows, and who answers for others, as plain data. */
import type { NamedHost } from '../gateway/lab-names.ts';
import type { DnsConfig, DnsRecord } from '../service/dns/dns-config.ts';
import { formatEndpoint } from '../wire/endpoint-text.ts';
import type { Ipv4 } from '../wire/ipv4-address.ts';
import { formatIpv4 } from '../wire/ipv4-address.ts';
import type { Ipv6 } from '../wire/ipv6-address.ts';
import { formatIpv6 } from '../wire/ipv6-text.ts';
import type { NamesStatus } from './status-schemas.ts';

export function namesStatus(network: string, config: DnsConfig, names: Iterable<NamedHost>): NamesStatus {
  const { address, ipv6, domain, records, routes, upstream } = config;
  const server = address ?? ipv6?.address;
  return {
    network,
    server: server === undefined ? '' : textOf(server),
    ...(address !== undefined && ipv6 !== undefined && { ipv6Server: formatIpv6(ipv6.address) }),
    ...(domain !== undefined && { domain }),
    names: [...names].map((entry) => ({ name: entry.name, address: textOf(entry.address) })),
    records: records.map((record) => ({ name: record.name, type: record.type, data: dataText(record) })),
    forward: routes.map((route) => ({ domain: route.domain, servers: route.servers.map(formatEndpoint) })),
    others: upstream === undefined ? 'host' : upstream.map(formatEndpoint),
  };
}

function textOf(address: Ipv4 | Ipv6): string {
  return typeof address === 'number' ? formatIpv4(address) : formatIpv6(address);
}

/** As a zone file has it, RFC 1035, 5.1. */
function dataText(record: DnsRecord): string {
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return record.address;
    case 'CNAME':
    case 'PTR':
    case 'NS':
      return record.target;
    case 'TXT':
      return record.texts.map((text) => JSON.stringify(text)).join(' ');
    case 'MX':
      return `${record.preference} ${record.exchange}`;
    case 'SRV':
      return `${record.priority} ${record.weight} ${record.port} ${record.target}`;
  }
}
