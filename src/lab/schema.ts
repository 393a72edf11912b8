/**
 * The words of a lab file, each subject in a file of its own beside this one, and the form of their values; what must fit together is
 * checked in `check.ts`.
 *
 * A message may carry its remedy behind `; `. Unknown keys are refused everywhere, and the message of such an issue lists the keys
 * that are known there, so that `schema-issues.ts` can guess which one was meant.
 */
import { z } from 'zod';
import { list, mapping, oneOrMore } from './schema-forms.ts';
import { link } from './schema-link.ts';
import { network } from './schema-network.ts';
import { nicMapping, node } from './schema-node.ts';
import { router } from './schema-router.ts';
import { capture, file, name, nameKey } from './schema-values.ts';

const defaults = mapping({
  network: network.partial().optional(),
  node: node.partial().optional(),
  nic: nicMapping.partial().optional(),
  link: link.optional(),
});

export const labSchema = mapping({
  name: name.optional().describe("The file's name without its extension where it is left out"),
  extends: oneOrMore(file, 'a file')
    .optional()
    .describe(
      'Lab files, or parts of one, that this one is laid over: mappings are merged, the rest is replaced, null takes away',
    ),
  defaults: defaults.optional().describe('What entries have that do not say otherwise'),
  capture: capture.optional(),
  networks: z.record(nameKey, network).meta({ minProperties: 1 }),
  routers: z.record(nameKey, router).optional().describe('Stations of vmlan that join networks'),
  nodes: z.record(nameKey, node).meta({ minProperties: 1 }),
  links: z
    .record(z.string(), link)
    .optional()
    .describe(
      'What the links of ports do to frames: NODE:NIC, NODE where it has one card, ROUTER:INTERFACE or NETWORK:gateway',
    ),
  seed: z
    .int()
    .min(0)
    .optional()
    .describe(
      'Of the chance of the links: with the same seed the same frames are lost; another at every start where it is left out',
    ),
  forwards: list(z.string())
    .optional()
    .describe('Ports of the host that lead to a machine, NODE, NODE:NIC or an address: tcp 127.0.0.1:8080 -> web:80'),
});

export type LabFile = z.output<typeof labSchema>;
