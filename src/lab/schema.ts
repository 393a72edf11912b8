/**
 * The words of a lab file and the form of their values; what must fit together is checked in `check.ts`.
 *
 * A message may carry its remedy behind `; `. Unknown keys are refused everywhere, and the message of such an issue lists the keys
 * that are known there, so that `schema-issues.ts` can guess which one was meant.
 */
import { z } from 'zod';
import { parseEndpoint } from '../wire/endpoint-text.ts';
import { isMulticastIpv4, parseIpv4, parseIpv4Interface } from '../wire/ipv4-address.ts';
import { isGroupMac, parseMac } from '../wire/mac.ts';
import { badName, isDomain, isName, MAX_NAME_LENGTH, NAME_PATTERN } from './names.ts';
import { MAX_MTU, MIN_MTU } from './plan.ts';
import { list, mapping, oneOrMore, parsed } from './schema-forms.ts';
import {
  parseAaaa,
  parseHostAccess,
  parseLease,
  parseMx,
  parseName,
  parseOwner,
  parseRange,
  parseSrv,
} from './setting-text.ts';

/** Names as keys are checked with the rest of the file; here they only tell editors. */
const nameKey = z.string().meta({ pattern: NAME_PATTERN.source, maxLength: MAX_NAME_LENGTH });
const name = z.string().superRefine((text, context) => {
  if (!isName(text)) context.addIssue({ code: 'custom', params: { code: 'bad-name' }, message: badName(text) });
});

const address = parsed('bad-address', 'an IPv4 address', ['10.0.2.80'], parseIpv4);
const subnet = parsed('bad-subnet', 'an IPv4 subnet', ['10.0.2.0/24'], parseIpv4Interface);
const mac = parsed('bad-mac', 'the MAC address of one station', ['52:54:00:12:34:56'], (text) => {
  const value = parseMac(text);
  return value === undefined || value === 0 || isGroupMac(value) ? undefined : value;
});
const range = parsed('bad-range', 'a range of IPv4 addresses', ['10.0.2.15-10.0.2.99'], parseRange);
const lease = parsed('bad-lease', 'a time from 10s to 365d', ['1h', '90m', '7d'], parseLease);
const domain = parsed('bad-domain', 'a domain name', ['lab.internal'], (text) => (isDomain(text) ? text : undefined));
const file = z.string().min(1, 'the name of the file is missing');

const capture = z
  .union([file, mapping({ file, 'snap-length': z.int().min(14).max(69_632).optional() })], {
    error: 'expected a file or { file, snap-length }',
  })
  .describe('A pcapng file, or a classic pcap file where the name ends in .pcap; relative to the lab file');

const route = mapping({ to: subnet, via: address });

const dhcp = z.union(
  [
    z.literal(false),
    mapping({
      range: range.optional().describe('The pool; from .15 to the last address where it is left out'),
      lease: lease.optional().describe('24h where it is left out'),
      dns: list(address).optional().describe('Name servers; the gateway where it is left out'),
      domain: domain
        .optional()
        .describe("The network's domain, said here or in dns; lab.internal where it is left out"),
      search: list(domain).optional().describe('Domains in which guests look for short names'),
      ntp: list(address).optional(),
      routes: list(route).optional().describe('Static routes; 0.0.0.0/0 makes its `via` the default router'),
    }),
  ],
  { error: 'expected false or { range, lease, … }' },
);

/** The `file` field of a DHCP message and option 67 (RFC 2132, 9.5). */
const bootText = z.string().min(1, 'the name is missing').max(255);

const boot = mapping({
  tftp: file.optional().describe('A folder that TFTP offers, relative to the lab file'),
  bootfile: bootText.optional(),
  server: address.optional().describe('Where the bootfile is; the gateway where it is left out'),
  'server-name': bootText.optional(),
});

const gateway = z.enum(['nat', 'isolated', 'none'], {
  error: ({ input }) =>
    input === 'routed' ? 'routed is not supported yet; use nat or isolated' : 'expected nat, isolated or none',
});

const recordName = parsed('bad-domain', 'a domain name', ['web', 'mail.example.org'], parseName);
const recordOwner = parsed('bad-domain', 'a domain name or *.NAME', ['web', '*.apps', '_sip._tcp'], parseOwner);
const recordAddress = oneOrMore(address, 'an IPv4 address');
const aaaa = oneOrMore(parsed('bad-address', 'an IPv6 address', ['fd00::9'], parseAaaa), 'an IPv6 address');
const txt = z.string().max(4096);
const srv = parsed('bad-record', 'PRIORITY WEIGHT PORT TARGET', ['0 5 5060 sip'], parseSrv);
const mx = parsed('bad-record', 'PREFERENCE EXCHANGE', ['10 mail'], parseMx);

const record = mapping({
  name: recordOwner.describe(
    "A name without a dot is in the network's domain, `*.` and `_service._tcp.` in front aside; one with a dot is whole",
  ),
  a: recordAddress.optional(),
  aaaa: aaaa.optional(),
  cname: recordName.optional(),
  txt: oneOrMore(txt, 'a text').optional(),
  srv: oneOrMore(srv, 'PRIORITY WEIGHT PORT TARGET').optional(),
  mx: oneOrMore(mx, 'PREFERENCE EXCHANGE').optional(),
  ttl: z.int().min(0).max(2_147_483_647).optional().describe('Seconds; 60 where it is left out'),
});

const server = parsed('bad-address', 'the address of a name server', ['10.9.0.53', '10.9.0.53:5353'], (text) =>
  parseEndpoint(text, 53),
);

const dns = z.union(
  [
    z.literal(false),
    mapping({
      domain: domain.optional().describe('Where machines are found by name; lab.internal where it is left out'),
      records: list(record).optional(),
      forward: z
        .record(z.string(), oneOrMore(server, 'the address of a name server'))
        .optional()
        .describe("Who is asked about a domain and what is below it, in place of the host's name servers"),
      upstream: z
        .union([z.literal('host'), list(server)], { error: 'expected host or a list of name servers' })
        .optional()
        .describe("Who is asked about the rest: the host's name servers, these, or with [] nobody"),
    }),
  ],
  { error: 'expected false or { domain, records, … }' },
);

const hostPorts = parsed('bad-port', 'a port of the host', ['tcp 8000', 'udp 5000-5010'], parseHostAccess);

const source = parsed('bad-address', 'an IPv4 address of this host', ['192.0.2.7'], (text) => {
  const value = parseIpv4(text);
  return value === undefined || value === 0 || value >>> 24 === 127 || isMulticastIpv4(value) ? undefined : value;
});

const network = mapping({
  kind: z.enum(['switch', 'hub'], { error: 'expected switch or hub' }).optional(),
  subnet: subnet.optional(),
  gateway: gateway
    .optional()
    .describe(
      'nat (where it is left out): a station with DHCP, DNS, TFTP and ping, and the way out to the world; isolated: the same without a way out; none: no station at all',
    ),
  address: address.optional().describe("The gateway's own address; the second of the subnet where it is left out"),
  mtu: z.int().min(MIN_MTU).max(MAX_MTU).optional(),
  dhcp: dhcp.optional(),
  dns: dns.optional(),
  boot: boot.optional(),
  'host-access': z
    .union([z.literal('all'), list(hostPorts)], { error: 'expected all or a list such as [tcp 8000]' })
    .optional()
    .describe("Ports of the host's loopback that guests reach at the gateway's address"),
  restrict: z.boolean().optional().describe('true: nothing leaves the network but what a rule forwards'),
  metadata: z
    .enum(['allow', 'refuse'], { error: 'expected allow or refuse' })
    .optional()
    .describe('Whether guests reach the addresses where clouds keep credentials, such as 169.254.169.254'),
  source: source.optional().describe("The host's address that guests' conversations leave from"),
  'guest-forwards': list(z.string())
    .optional()
    .describe(
      'What of the host answers guests at an address that no machine has: 10.0.2.100:80 -> tcp 127.0.0.1:8080, or unix /PATH, or command LINE',
    ),
  capture: capture.optional(),
});

const nic = z.union(
  [
    z.string(),
    mapping({
      network: z.string(),
      name: name.optional(),
      mac: mac.optional(),
      address: address.optional(),
      capture: capture.optional(),
    }),
  ],
  { error: 'expected the name of a network or { network, address, … }' },
);

const node = mapping({ nics: list(nic).meta({ minItems: 1 }) });

export const labSchema = mapping({
  name: name.optional().describe("The file's name without its extension where it is left out"),
  capture: capture.optional(),
  networks: z.record(nameKey, network).meta({ minProperties: 1 }),
  nodes: z.record(nameKey, node).meta({ minProperties: 1 }),
  forwards: list(z.string())
    .optional()
    .describe('Ports of the host that lead to a machine, NODE, NODE:NIC or an address: tcp 127.0.0.1:8080 -> web:80'),
});

export type LabFile = z.output<typeof labSchema>;
export type NetworkEntry = z.output<typeof network>;
export type NicEntry = Exclude<z.output<typeof nic>, string>;
export type CaptureEntry = z.output<typeof capture>;
export type DhcpEntry = Exclude<z.output<typeof dhcp>, false>;
export type BootEntry = z.output<typeof boot>;
export type DnsEntry = Exclude<z.output<typeof dns>, false>;
export type RecordEntry = z.output<typeof record>;

/** The lab file as JSON Schema, for editors. */
export function labJsonSchema(): Record<string, unknown> {
  return { title: 'vmlan lab', ...z.toJSONSchema(labSchema, { io: 'input' }) };
}
