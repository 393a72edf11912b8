/** What the IPv6 options of QEMU's `-netdev user` mean. */
import type { Issue } from '../base/issue.ts';
import type { Ipv6GatewayConfig } from '../gateway/gateway.ts';
import type { UserOptions } from '../qemu/user-options.ts';
import { USER_NETWORK_DEFAULTS } from '../qemu/user-options.ts';
import type { Ipv6, Ipv6Prefix } from '../wire/ipv6-address.ts';
import { ipv6PrefixOf, isInIpv6Prefix, isSameIpv6 } from '../wire/ipv6-address.ts';
import { formatIpv6, parseIpv6 } from '../wire/ipv6-text.ts';
import { ipv6HostFault } from './check-ipv6.ts';
import { behindIpv6Prefix, defaultIpv6Pool } from './derive-ipv6.ts';
import { advertisementOf, bootUrl, ROUTER_LIFETIME } from './ipv6-plan.ts';

/** QEMU's choices: these bits behind the prefix. */
const HOST = 2;
const DNS = 3;
/** The router's link-local address. */
const LINK_LOCAL: Ipv6 = parseIpv6('fe80::2')!;
/** The lengths that QEMU takes (net/slirp.c). */
const MAX_PREFIX = 126;

/** The network, where the options say nothing, has QEMU's prefix; other than in QEMU, DHCPv6 gives addresses to who asks. */
export function userIpv6(options: UserOptions, issues: Issue[]): Ipv6GatewayConfig {
  const { isRestricted, domainname, dnssearch } = options;
  const prefix = prefixOf(options, issues);
  const host = addressOf('ipv6-host', options.ipv6Host, HOST, prefix, issues);
  const dns = dnsOf(options, prefix, issues);
  if (isSameIpv6(host, dns) && options.ipv6Dns !== undefined) {
    const message = `${formatIpv6(dns)} is the address of the gateway`;
    issues.push({ code: 'address-taken', path: ['ipv6-dns'], message, hint: 'write another address of the network' });
  }
  const own = { address: host, prefixLength: prefix.prefixLength };
  const servers = isRestricted ? [] : [dns];
  const search = [...new Set([...(domainname === undefined ? [] : [domainname]), ...dnssearch])];
  const url = bootOf(options, host);
  return {
    interface: own,
    linkLocal: LINK_LOCAL,
    ...(!isRestricted && !isSameIpv6(host, dns) && { dns }),
    advertisement: advertisementOf({
      own,
      isAutonomous: true,
      isManaged: false,
      hasDhcp: true,
      routerLifetime: isRestricted ? 0 : ROUTER_LIFETIME,
      routes: [],
      dns: servers,
      search,
    }),
    dhcp: {
      prefix,
      pool: defaultIpv6Pool(prefix),
      leaseTime: USER_NETWORK_DEFAULTS.leaseTime,
      reservations: [],
      dns: servers,
      search,
      ...(options.hostname !== undefined && { hostname: options.hostname }),
      ...(domainname !== undefined && { domain: domainname }),
      ...(url !== undefined && { boot: { url } }),
    },
  };
}

function prefixOf({ ipv6Prefix, ipv6PrefixLength }: UserOptions, issues: Issue[]): Ipv6Prefix {
  const fallback = parseIpv6(USER_NETWORK_DEFAULTS.ipv6Prefix)!;
  const address = ipv6Prefix === undefined ? fallback : parseIpv6(ipv6Prefix);
  if (address === undefined) {
    const message = `${JSON.stringify(ipv6Prefix)} is not an IPv6 prefix`;
    issues.push({ code: 'bad-prefix', path: ['ipv6-prefix'], message, hint: 'write it as fd00:1:2:3::' });
  }
  const text = ipv6PrefixLength ?? USER_NETWORK_DEFAULTS.ipv6PrefixLength;
  const length = /^\d{1,3}$/.test(text) && Number(text) <= MAX_PREFIX ? Number(text) : undefined;
  if (length === undefined) {
    const message = `${JSON.stringify(text)} is no length of a prefix`;
    issues.push({ code: 'prefix-length', path: ['ipv6-prefixlen'], message, hint: `take one from 0 to ${MAX_PREFIX}` });
  }
  return ipv6PrefixOf({ address: address ?? fallback, prefixLength: length ?? 64 });
}

function addressOf(key: string, text: string | undefined, bits: number, prefix: Ipv6Prefix, issues: Issue[]): Ipv6 {
  const fallback = behindIpv6Prefix(prefix, bits);
  if (text === undefined) return fallback;
  const address = parsedAddress(key, text, issues);
  const fault = address && ipv6HostFault(address, prefix);
  if (fault !== undefined) issues.push({ ...fault, path: [key] });
  return address ?? fallback;
}

/** As for IPv4, the gateway may stand for any address, unless guests may go nowhere else: then it is one of the network. */
function dnsOf({ ipv6Dns, isRestricted }: UserOptions, prefix: Ipv6Prefix, issues: Issue[]): Ipv6 {
  if (ipv6Dns === undefined || isRestricted) return addressOf('ipv6-dns', ipv6Dns, DNS, prefix, issues);
  const address = parsedAddress('ipv6-dns', ipv6Dns, issues);
  if (address === undefined) return behindIpv6Prefix(prefix, DNS);
  if (isInIpv6Prefix(prefix, address)) return addressOf('ipv6-dns', ipv6Dns, DNS, prefix, issues);
  return address;
}

function parsedAddress(key: string, text: string, issues: Issue[]): Ipv6 | undefined {
  const address = parseIpv6(text);
  if (address === undefined) {
    const message = `${JSON.stringify(text)} is not an IPv6 address`;
    issues.push({ code: 'bad-address', path: [key], message, hint: `write ${key}=fec0::2` });
  }
  return address;
}

/** As libslirp tells it, with the file's own URL where it has one. */
function bootOf({ bootfile, tftpServerName }: UserOptions, host: Ipv6): string | undefined {
  if (bootfile === undefined || /^[a-z]+:\/\//i.test(bootfile)) return bootfile;
  return bootUrl(tftpServerName ?? `[${formatIpv6(host)}]`, bootfile);
}
