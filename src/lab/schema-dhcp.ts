/** The words of a network for what its machines are told when they boot: DHCP, and where TFTP finds their files. */
import { z } from 'zod';
import { list, mapping, parsed } from './schema-forms.ts';
import { address, domain, file, route } from './schema-values.ts';
import { parseLease, parseRange } from './setting-text.ts';

const range = parsed('bad-range', 'a range of IPv4 addresses', ['10.0.2.15-10.0.2.99'], parseRange);
const lease = parsed('bad-lease', 'a time from 10s to 365d', ['1h', '90m', '7d'], parseLease);

export const dhcp = z.union(
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

export type DhcpEntry = Exclude<z.output<typeof dhcp>, false>;

/** The `file` field of a DHCP message and option 67 (RFC 2132, 9.5). */
const bootText = z.string().min(1, 'the name is missing').max(255);

export const boot = mapping({
  tftp: file.optional().describe('A folder that TFTP offers, relative to the lab file'),
  bootfile: bootText.optional(),
  server: address.optional().describe('Where the bootfile is; the gateway where it is left out'),
  'server-name': bootText.optional(),
});

export type BootEntry = z.output<typeof boot>;
