/** What QEMU's `-netdev user` options mean: the gateway that a guest of QEMU's user network would find. */
import type { Issue } from '../base/issue.ts';
import type { GuestForward, HostForward } from '../nat/forward-spec.ts';
import type { HostfwdDefaults } from '../nat/qemu-forward-text.ts';
import { readGuestfwd, readHostfwd } from '../nat/qemu-forward-text.ts';
import type { UserOptions } from '../qemu/user-options.ts';
import { USER_NETWORK_DEFAULTS } from '../qemu/user-options.ts';
import type { DhcpBoot, DhcpConfig } from '../service/dhcp/dhcp-config.ts';
import { formatEndpoint } from '../wire/endpoint-text.ts';
import { octetsOf } from '../wire/ip-address.ts';
import type { Ipv4, Ipv4Interface } from '../wire/ipv4-address.ts';
import { formatIpv4, ipv4Mask, isOnLink, networkOf, parseIpv4, parseIpv4Interface } from '../wire/ipv4-address.ts';
import { IPV6_MIN_MTU } from '../wire/ipv6.ts';
import type { Ipv6Interface } from '../wire/ipv6-address.ts';
import type { Fault } from './check-addresses.ts';
import { hostFault, subnetFault } from './check-addresses.ts';
import type { AddressRange } from './derive.ts';
import { defaultPool, gatewayMac, hostsOf } from './derive.ts';
import { stationFault } from './forward-place.ts';
import { isDomain } from './names.ts';
import type { GatewayPlan, NatPlan } from './plan.ts';
import { userIpv6 } from './user-ipv6.ts';

export interface UserGatewaySettings {
  readonly mtu: number;
  /** The network, in place of QEMU's, where the options name none. */
  readonly network?: Ipv4Interface;
  /** What of the host's loopback guests reach at the gateway's address; everything in QEMU's user network. */
  readonly hostAccess: NatPlan['hostAccess'];
  /** A hostfwd that names no host address listens on all of them, and not on 127.0.0.1. */
  readonly listensEverywhere?: boolean;
}

/** QEMU's defaults where an option is missing. QEMU's pool has 16 addresses, this one goes on to the last host. */
export function userGateway(
  options: UserOptions,
  { mtu, network, hostAccess, listensEverywhere = false }: UserGatewaySettings,
): { readonly gateway: GatewayPlan; readonly issues: readonly Issue[] } {
  const issues: Issue[] = [];
  const { isRestricted, hasIpv4, hasIpv6 } = options;
  checkDomains(options, issues);
  const guestForwards = readGuestForwards(options, issues);
  const ipv4 = hasIpv4 ? ipv4Of(options, mtu, network, guestForwards, issues) : undefined;
  const ipv6 = hasIpv6 && mtu >= IPV6_MIN_MTU ? userIpv6(options, issues) : undefined;
  if (ipv4 === undefined && ipv6 === undefined) {
    const message = `IPv6 needs packets of ${IPV6_MIN_MTU} octets`;
    issues.push({ code: 'mtu-too-small', path: ['ipv6'], message, hint: 'write ipv4=on, or take a larger MTU' });
  }
  checkGuestForwards(guestForwards, { ipv4: ipv4?.interface, ipv6: ipv6?.interface }, issues);
  const hostForwards = hostForwardsOf(options, { guest: ipv4?.dhcp.first, listensEverywhere }, issues);
  const { domainname } = options;
  const gateway: GatewayPlan = {
    mac: gatewayMac(ipv4?.interface.address ?? behindPrefix(DEFAULT_NET, HOST)),
    ...(ipv4 !== undefined && { interface: ipv4.interface, dhcp: ipv4.dhcp }),
    ...(ipv6 !== undefined && { ipv6 }),
    ...(options.tftp !== undefined && { tftpFolder: options.tftp }),
    nat: { isRestricted, hostAccess, allowsMetadata: false },
    ...(!isRestricted && {
      dns: {
        ...(ipv4 !== undefined && { address: ipv4.dns }),
        ...(ipv6 !== undefined && { ipv6: { address: ipv6.dns ?? ipv6.interface.address, interface: ipv6.interface } }),
        records: [],
        routes: [],
        ...(domainname !== undefined && { domain: domainname }),
      },
    }),
    ...(ipv4?.smb !== undefined && { smb: ipv4.smb }),
    hostForwards,
    guestForwards,
  };
  return { gateway, issues };
}

interface UserIpv4 {
  readonly interface: Ipv4Interface;
  readonly dns: Ipv4;
  readonly dhcp: DhcpConfig;
  readonly smb: GatewayPlan['smb'];
}

function ipv4Of(
  options: UserOptions,
  mtu: number,
  network: Ipv4Interface | undefined,
  guestForwards: readonly GuestForward[],
  issues: Issue[],
): UserIpv4 {
  const { isRestricted } = options;
  const subnet = network ?? subnetOf(options, issues);
  const address = addressOf('host', options.host, subnet, issues) ?? behindPrefix(subnet, HOST);
  const own = { address, prefixLength: subnet.prefixLength };
  const dns = dnsOf(options, own, issues);
  const smb = smbOf(options, own, dns, issues);
  const forwarded = guestForwards.map(({ address: at }) => at).filter((at) => typeof at === 'number');
  const excluded = [...(smb === undefined ? [] : [smb.address]), ...forwarded];
  const dhcp: DhcpConfig = {
    ...poolOf(options, own, dns, excluded, issues),
    leaseTime: USER_NETWORK_DEFAULTS.leaseTime,
    reservations: [],
    excluded,
    routers: isRestricted ? [] : [address],
    dns: isRestricted ? [] : [dns],
    search: options.dnssearch,
    ntp: [],
    routes: [],
    mtu,
    ...(options.hostname !== undefined && { hostname: options.hostname }),
    ...(options.domainname !== undefined && { domain: options.domainname }),
    ...(options.bootfile !== undefined && { boot: bootOf(options.bootfile, options.tftpServerName) }),
  };
  return { interface: own, dns, dhcp, smb };
}

const DEFAULT_NET = parseIpv4Interface(USER_NETWORK_DEFAULTS.net)!;

const HOST: Ipv4 = 0x0202;
const DNS: Ipv4 = 0x0203;
const SMB: Ipv4 = 0x0204;
const DHCP_START: Ipv4 = 0x020f;

/** QEMU puts these bits behind the prefix, as many as there is room for. */
function behindPrefix(subnet: Ipv4Interface, bits: Ipv4): Ipv4 {
  return (networkOf(subnet) | (bits & ~ipv4Mask(subnet.prefixLength))) >>> 0;
}

function subnetOf({ net }: UserOptions, issues: Issue[]): Ipv4Interface {
  if (net === undefined) return DEFAULT_NET;
  const given = parseNet(net);
  if (given === undefined) {
    issues.push({
      code: 'bad-subnet',
      path: ['net'],
      message: `${JSON.stringify(net)} is not a network`,
      hint: 'write it as 10.0.2.0/24',
    });
    return DEFAULT_NET;
  }
  const subnet = { address: networkOf(given), prefixLength: given.prefixLength };
  const fault = subnetFault(subnet);
  if (fault === undefined) return subnet;
  issues.push({ ...fault, path: ['net'] });
  return DEFAULT_NET;
}

/** `ADDRESS/LENGTH`, `ADDRESS/MASK` or an address alone, whose prefix net/slirp.c of QEMU guesses from its class. */
function parseNet(text: string): Ipv4Interface | undefined {
  const [before, mask, ...rest] = text.split('/');
  const address = parseIpv4(before!);
  if (address === undefined || rest.length > 0) return undefined;
  if (mask === undefined) return { address, prefixLength: guessedPrefix(address) };
  const dotted = parseIpv4(mask);
  if (dotted === undefined) return parseIpv4Interface(text);
  const prefixLength = 32 - Math.log2(2 ** 32 - dotted);
  return Number.isInteger(prefixLength) && prefixLength >= 0 ? { address, prefixLength } : undefined;
}

function guessedPrefix(address: Ipv4): number {
  if (address >>> 31 === 0) return 8;
  if (address >>> 20 === 0xac1) return 12;
  if (address >>> 30 === 0b10) return 16;
  if (address >>> 16 === 0xc0a8) return 16;
  if (address >>> 16 === 0xc612) return 15;
  return address >>> 29 === 0b111 ? 24 : 28;
}

/** An address that must be a host of the subnet; undefined where it is not given or cannot be. */
function addressOf(key: string, text: string | undefined, subnet: Ipv4Interface, issues: Issue[]): Ipv4 | undefined {
  if (text === undefined) return undefined;
  const address = parseIpv4(text);
  const fault =
    address === undefined
      ? {
          code: 'bad-address',
          message: `${JSON.stringify(text)} is not an IPv4 address`,
          hint: `write ${key}=10.0.2.2`,
        }
      : hostFault(address, subnet);
  if (fault !== undefined) issues.push({ ...fault, path: [key] });
  return fault === undefined ? address : undefined;
}

/** Where the name server answers. Where QEMU's own choice is no host or is the gateway, it is the gateway. */
function dnsOf({ dns, isRestricted }: UserOptions, own: Ipv4Interface, issues: Issue[]): Ipv4 {
  if (dns === undefined) {
    const address = behindPrefix(own, DNS);
    return hostFault(address, own) === undefined ? address : own.address;
  }
  // libslirp takes the gateway's word for any address, as long as guests send what is elsewhere to the gateway
  const elsewhere = parseIpv4(dns);
  if (elsewhere !== undefined && !isRestricted && !isOnLink(own, elsewhere)) return elsewhere;
  const address = addressOf('dns', dns, own, issues);
  if (address === own.address) issues.push(taken('dns', address, 'the gateway'));
  return address ?? own.address;
}

/** Without a folder nothing is shared, and the server's address means nothing. */
function smbOf(
  { smb, smbserver }: UserOptions,
  own: Ipv4Interface,
  dns: Ipv4,
  issues: Issue[],
): GatewayPlan['smb'] | undefined {
  if (smb === undefined) return undefined;
  const fallback = smbserver === undefined ? formatIpv4(behindPrefix(own, SMB)) : undefined;
  const address = addressOf('smbserver', smbserver ?? fallback, own, issues);
  if (address === own.address) issues.push(taken('smbserver', address, 'the gateway'));
  else if (address !== undefined && address === dns) issues.push(taken('smbserver', address, 'the name server'));
  return address === undefined ? undefined : { folder: smb, address };
}

function taken(key: string, address: Ipv4, owner: string): Issue {
  const message = `${formatIpv4(address)} is the address of ${owner}`;
  return { code: 'address-taken', path: [key], message, hint: `write ${key}= with another address of the network` };
}

function hostForwardsOf({ hostfwd }: UserOptions, defaults: HostfwdDefaults, issues: Issue[]): readonly HostForward[] {
  return hostfwd.flatMap((text) => readHostfwd(text, defaults, ['hostfwd'], issues) ?? []);
}

const GUESTFWD = ['guestfwd'];

function readGuestForwards({ guestfwd }: UserOptions, issues: Issue[]): readonly GuestForward[] {
  return guestfwd.flatMap((text) => readGuestfwd(text, GUESTFWD, issues) ?? []);
}

/** libslirp 4.9.4 and later let the gateway and the name server stand for something on the host, too. */
function checkGuestForwards(
  forwards: readonly GuestForward[],
  { ipv4, ipv6 }: { readonly ipv4: Ipv4Interface | undefined; readonly ipv6: Ipv6Interface | undefined },
  issues: Issue[],
): void {
  const seen = new Set<string>();
  for (const { address, port } of forwards) {
    const where = formatEndpoint({ address: octetsOf(address), port });
    const own = typeof address === 'number' ? ipv4 : ipv6;
    const fault = own === undefined ? noFamily(where) : stationFault(address, own);
    if (fault !== undefined) issues.push({ ...fault, path: GUESTFWD });
    if (seen.has(where)) {
      issues.push({
        code: 'address-taken',
        path: GUESTFWD,
        message: `${where} is forwarded twice`,
        hint: 'leave one of them out',
      });
    }
    seen.add(where);
  }
}

function noFamily(where: string): Fault {
  const hint = 'take an address of the other family, or leave out what switches this one off';
  return { code: 'no-family', message: `the network has no addresses like ${where}`, hint };
}

/** Begins where no other station answers. */
function poolOf(
  { dhcpstart }: UserOptions,
  own: Ipv4Interface,
  dns: Ipv4,
  excluded: readonly Ipv4[],
  issues: Issue[],
): AddressRange {
  const given = addressOf('dhcpstart', dhcpstart, own, issues);
  if (given === own.address) issues.push(taken('dhcpstart', given, 'the gateway'));
  else if (given !== undefined && given === dns) issues.push(taken('dhcpstart', given, 'the name server'));
  const start = given ?? behindPrefix(own, DHCP_START);
  const isUsable = start !== own.address && hostFault(start, own) === undefined;
  const pool = isUsable ? { first: start, last: lastAfter(start, own) } : defaultPool(own, own.address);
  let { first } = pool;
  while (first < pool.last && (first === dns || excluded.includes(first))) first++;
  return { first, last: pool.last };
}

function lastAfter(first: Ipv4, own: Ipv4Interface): Ipv4 {
  return own.address > first ? own.address - 1 : hostsOf(own).last;
}

function checkDomains({ domainname, dnssearch }: UserOptions, issues: Issue[]): void {
  const names = dnssearch.map((name) => ['dnssearch', name] as const);
  for (const [key, name] of domainname === undefined ? names : [...names, ['domainname', domainname] as const]) {
    if (isDomain(name)) continue;
    issues.push({
      code: 'bad-domain',
      path: [key],
      message: `${JSON.stringify(name)} is not a domain name`,
      hint: `write ${key}=lab.internal`,
    });
  }
}

/** libslirp 4.9 tells a server name that is an address as the next server, too. */
function bootOf(bootfile: string, serverName: string | undefined): DhcpBoot {
  if (serverName === undefined) return { bootfile };
  const server = parseIpv4(serverName);
  return { bootfile, serverName, ...(server !== undefined && { server }) };
}
