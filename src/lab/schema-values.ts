/** The values that stand in several places of a lab file. */
import { z } from 'zod';
import { parseIpv4, parseIpv4Interface } from '../wire/ipv4-address.ts';
import { parseIpv6, parseIpv6Interface } from '../wire/ipv6-text.ts';
import { isGroupMac, parseMac } from '../wire/mac.ts';
import { badName, isDomain, isName, MAX_NAME_LENGTH, NAME_PATTERN } from './names.ts';
import { mapping, parsed } from './schema-forms.ts';

/** Names as keys are checked with the rest of the file; here they only tell editors. */
export const nameKey = z.string().meta({ pattern: NAME_PATTERN.source, maxLength: MAX_NAME_LENGTH });
export const name = z.string().superRefine((text, context) => {
  if (!isName(text)) context.addIssue({ code: 'custom', params: { code: 'bad-name' }, message: badName(text) });
});

export const address = parsed('bad-address', 'an IPv4 address', ['10.0.2.80'], parseIpv4);
export const subnet = parsed('bad-subnet', 'an IPv4 subnet', ['10.0.2.0/24'], parseIpv4Interface);
export const mac = parsed('bad-mac', 'the MAC address of one station', ['52:54:00:12:34:56'], (text) => {
  const value = parseMac(text);
  return value === undefined || value === 0 || isGroupMac(value) ? undefined : value;
});
export const domain = parsed('bad-domain', 'a domain name', ['lab.internal'], (text) =>
  isDomain(text) ? text : undefined,
);
export const route = mapping({ to: subnet, via: address });

const anyNetwork = parsed(
  'bad-subnet',
  'a subnet or an IPv6 prefix',
  ['10.3.0.0/24', 'fd00:3::/64'],
  (text) => parseIpv4Interface(text) ?? parseIpv6Interface(text),
);
const anyAddress = parsed(
  'bad-address',
  'an address',
  ['10.0.2.1', 'fd00:2::1'],
  (text) => parseIpv4(text) ?? parseIpv6(text),
);
/** Of either family. */
export const anyRoute = mapping({ to: anyNetwork, via: anyAddress });
export type AnyRoute = z.output<typeof anyRoute>;
export const file = z.string().min(1, 'the name of the file is missing');
/** Which values name files; they are meant from where the file that says them lies. */
export const fileNames = z.registry<object>();
file.register(fileNames, {});

export const capture = z
  .union([file, mapping({ file, 'snap-length': z.int().min(14).max(69_632).optional() })], {
    error: 'expected a file or { file, snap-length }',
  })
  .describe('A pcapng file, or a classic pcap file where the name ends in .pcap; relative to the lab file');

export type CaptureEntry = z.output<typeof capture>;
