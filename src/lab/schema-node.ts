/** The words of a machine and its cards. */
import { z } from 'zod';
import { cloudInit } from './schema-cloud-init.ts';
import { list, mapping } from './schema-forms.ts';
import { ipv6Address } from './schema-ipv6.ts';
import { machine } from './schema-machine.ts';
import { address, capture, mac, name } from './schema-values.ts';

export const nicMapping = mapping({
  network: z.string(),
  name: name.optional(),
  mac: mac.optional(),
  address: address.optional(),
  ipv6: ipv6Address.optional().describe('The address that DHCPv6 reserves for the card'),
  capture: capture.optional(),
});

export const nic = z.union([z.string(), nicMapping], {
  error: 'expected the name of a network or { network, address, … }',
});

export const node = mapping({
  nics: list(nic).meta({ minItems: 1 }),
  'cloud-init': cloudInit
    .optional()
    .describe('What cloud-init in the machine finds at the gateway; vmlan qemu-args has the words that lead it there'),
  qemu: machine.optional().describe('A machine that vmlan starts; without it the node is yours to start'),
});

export type NicEntry = Exclude<z.output<typeof nic>, string>;
