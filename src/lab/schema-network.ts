/** The words of a network and of its gateway. */
import { z } from 'zod';
import { isMulticastIpv4, parseIpv4 } from '../wire/ipv4-address.ts';
import { MAX_MTU, MIN_MTU } from './plan.ts';
import { boot, dhcp } from './schema-dhcp.ts';
import { dns } from './schema-dns.ts';
import { list, mapping, parsed } from './schema-forms.ts';
import { address, capture, subnet } from './schema-values.ts';
import { parseHostAccess } from './setting-text.ts';

const gateway = z.enum(['nat', 'isolated', 'none'], {
  error: ({ input }) =>
    input === 'routed' ? 'routed is not supported yet; use nat or isolated' : 'expected nat, isolated or none',
});

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

export type NetworkEntry = z.output<typeof network>;
