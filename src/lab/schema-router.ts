/** The words of a router between networks. */
import { z } from 'zod';
import { list, mapping } from './schema-forms.ts';
import { ipv6Address } from './schema-ipv6.ts';
import { address, anyRoute, capture, mac, name } from './schema-values.ts';

const routerInterface = mapping({
  network: z.string(),
  address: address.optional().describe("The router's address on the network"),
  ipv6: ipv6Address.optional().describe('Its IPv6 address there'),
  name: name.optional().describe("The network's where it is left out; the port is ROUTER:NAME"),
  mac: mac.optional(),
  capture: capture.optional(),
});

export const router = mapping({
  interfaces: list(routerInterface).meta({ minItems: 1 }),
  routes: list(anyRoute)
    .optional()
    .describe('What it reaches by others: { to: 10.3.0.0/24, via: 10.0.2.9 }; 0.0.0.0/0 and ::/0 are everything else'),
});

export type RouterEntry = z.output<typeof router>;
