/**
 * The words of a lab file and the form of their values; what must fit together is checked in `check.ts`.
 *
 * A message may carry its remedy behind `; `. Unknown keys are refused everywhere, and the message of such an issue lists the keys
 * that are known there, so that `schema-issues.ts` can guess which one was meant.
 */
import { z } from 'zod';
import { parseIpv4, parseIpv4Interface } from '../wire/ipv4-address.ts';
import { isGroupMac, parseMac } from '../wire/mac.ts';
import { badName, isDomain, isName, MAX_NAME_LENGTH, NAME_PATTERN } from './names.ts';
import { MAX_MTU, MIN_MTU } from './plan.ts';

/** A mapping with these keys and no others. */
function mapping<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const keys = Object.keys(shape).join(' ');
  return z.strictObject(shape, { error: ({ code }) => (code === 'unrecognized_keys' ? keys : undefined) });
}

/** Text that `parse` understands; `expected` names it for people. */
function parsed<Value>(code: string, expected: string, examples: string[], parse: (text: string) => Value | undefined) {
  const text = z.string().meta({ description: expected, examples });
  return text.transform((value, context): Value => {
    const result = parse(value);
    if (result !== undefined) return result;
    context.addIssue({
      code: 'custom',
      params: { code },
      message: `${JSON.stringify(value)} is not ${expected}; write it as ${examples[0]}`,
    });
    return z.NEVER;
  });
}

/** A list in which a faulty entry, taken out by `schema-issues.ts`, leaves a hole: the others keep their places. */
function list<Item extends z.ZodType>(item: Item) {
  return z.array(item.optional());
}

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
      dns: list(address).optional(),
      domain: domain.optional(),
      search: list(domain).optional(),
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

const gateway = z.enum(['isolated', 'none'], {
  error: ({ input }) =>
    input === 'nat' || input === 'routed' ? `${input} is not supported yet; use isolated` : 'expected isolated or none',
});

const network = mapping({
  kind: z.enum(['switch', 'hub'], { error: 'expected switch or hub' }).optional(),
  subnet: subnet.optional(),
  gateway: gateway
    .optional()
    .describe('isolated: a station with DHCP, TFTP and ping, and no way out; none: no station at all'),
  address: address.optional().describe("The gateway's own address; the second of the subnet where it is left out"),
  mtu: z.int().min(MIN_MTU).max(MAX_MTU).optional(),
  dhcp: dhcp.optional(),
  boot: boot.optional(),
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
});

export type LabFile = z.output<typeof labSchema>;
export type NetworkEntry = z.output<typeof network>;
export type NicEntry = Exclude<z.output<typeof nic>, string>;
export type CaptureEntry = z.output<typeof capture>;
export type DhcpEntry = Exclude<z.output<typeof dhcp>, false>;
export type BootEntry = z.output<typeof boot>;

/** The lab file as JSON Schema, for editors. */
export function labJsonSchema(): Record<string, unknown> {
  return { title: 'vmlan lab', ...z.toJSONSchema(labSchema, { io: 'input' }) };
}

function parseRange(text: string) {
  const [from, to, ...rest] = text.split('-').map((part) => parseIpv4(part.trim()));
  return from === undefined || to === undefined || rest.length > 0 ? undefined : { first: from, last: to };
}

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

function parseLease(text: string): number | undefined {
  const match = /^(\d{1,8})([smhd])$/.exec(text);
  const seconds = Number(match?.[1]) * SECONDS[(match?.[2] ?? 's') as keyof typeof SECONDS];
  return seconds >= 10 && seconds <= 365 * SECONDS.d ? seconds : undefined;
}
