/** The words of a network and of its gateway. */
import { z } from 'zod';
import { isMulticastIpv4, parseIpv4 } from '../wire/ipv4-address.ts';
import { MAX_MTU, MIN_MTU } from './plan.ts';
import { boot, dhcp } from './schema-dhcp.ts';
import { dns } from './schema-dns.ts';
import { list, mapping, parsed } from './schema-forms.ts';
import { ipv6, onOrOff } from './schema-ipv6.ts';
import { address, anyRoute, capture, subnet } from './schema-values.ts';
import { parseHostAccess } from './setting-text.ts';

const gateway = z.enum(['nat', 'routed', 'isolated', 'none'], { error: 'expected nat, routed, isolated or none' });

const hostPorts = parsed('bad-port', 'a port of the host', ['tcp 8000', 'udp 5000-5010'], parseHostAccess);

const source = parsed('bad-address', 'an IPv4 address of this host', ['192.0.2.7'], (text) => {
  const value = parseIpv4(text);
  return value === undefined || value === 0 || value >>> 24 === 127 || isMulticastIpv4(value) ? undefined : value;
});

export const network = mapping({
  kind: z.enum(['switch', 'hub'], { error: 'expected switch or hub' }).optional(),
  subnet: subnet.optional(),
  gateway: gateway
    .optional()
    .describe(
      'nat (where it is left out): a station with DHCP, DNS, TFTP and ping, the way to the other networks that are nat or routed, and to the world; routed: the same without the world; isolated: without a way out; none: no station at all',
    ),
  address: address.optional().describe("The gateway's own address; the second of the subnet where it is left out"),
  ipv4: onOrOff.optional().describe('off: the network has IPv6 only'),
  ipv6: ipv6
    .optional()
    .describe('on where it is left out, the gateway is not none and the mtu is 1280 or more; or { prefix, nat64, … }'),
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
  routes: list(anyRoute)
    .optional()
    .describe('What the gateway reaches by routers of its network: { to: 10.3.0.0/24, via: 10.0.2.1 }'),
  capture: capture.optional(),
});

export type NetworkEntry = z.output<typeof network>;
