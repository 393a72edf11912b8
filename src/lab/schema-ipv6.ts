/** The words of a network for IPv6. */
import { z } from 'zod';
import { parseIpv6, parseIpv6Interface } from '../wire/ipv6-text.ts';
import { list, mapping, parsed } from './schema-forms.ts';
import { parseIpv6Range, parseLease, parseRouterLifetime } from './setting-text.ts';

export const onOrOff = z.enum(['on', 'off'], { error: 'expected on or off' });

export const ipv6Address = parsed('bad-address', 'an IPv6 address', ['fd00:1:2:3::10'], parseIpv6);
const prefix = parsed('bad-prefix', 'an IPv6 prefix', ['fd00:1:2:3::/64'], parseIpv6Interface);
const range = parsed('bad-range', 'a range of IPv6 addresses', ['fd00::100-fd00::1ff'], parseIpv6Range);
const lease = parsed('bad-lease', 'a time from 10s to 365d', ['1h', '90m', '7d'], parseLease);
const lifetime = parsed('bad-lifetime', 'a time from 10m to 150m', ['30m', '2h'], parseRouterLifetime);

const dhcp = z.union(
  [
    z.enum(['off', 'stateless', 'stateful']),
    mapping({
      range: range.optional().describe('The pool; ::1000 to ::1fff of the prefix where it is left out'),
      lease: lease.optional().describe('24h where it is left out'),
    }),
  ],
  { error: 'expected off, stateless, stateful or { range, lease }' },
);

const settings = mapping({
  prefix: prefix
    .optional()
    .describe('A unique local /64 that follows from the names of the lab and the network where it is left out'),
  address: ipv6Address.optional().describe("The gateway's own address; ::1 of the prefix where it is left out"),
  dhcp: dhcp
    .optional()
    .describe(
      'DHCPv6: stateless tells names and boot files only; stateful gives every address, and there is no SLAAC; where it is left out, machines take addresses by SLAAC or, if they ask, by DHCPv6',
    ),
  managed: z.boolean().optional().describe('true: machines are told to ask DHCPv6 for addresses beside SLAAC'),
  lifetime: lifetime.optional().describe('For how long machines believe in the gateway as their router; 30m'),
  router: onOrOff.optional().describe('off: the gateway is not the router of its machines; the prefix is on the link'),
  routes: list(prefix)
    .optional()
    .describe('Prefixes that machines reach by the gateway though it may be nobody’s default router (RFC 4191)'),
  nat64: z
    .union([z.literal('on'), prefix], { error: 'expected on or a prefix such as 64:ff9b::/96' })
    .optional()
    .describe('Machines without IPv4 reach IPv4 by this prefix, and names by DNS64; on: 64:ff9b::/96'),
  source: ipv6Address.optional().describe("The host's IPv6 address that guests' conversations leave from"),
});

export const ipv6 = z.union([onOrOff, settings], { error: 'expected on, off or { prefix, … }' });

export type Ipv6Entry = z.output<typeof settings>;
