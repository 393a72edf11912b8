/**
 * The words of a lab file, each subject in a file of its own beside this one, and the form of their values; what must fit together is
 * checked in `check.ts`.
 *
 * A message may carry its remedy behind `; `. Unknown keys are refused everywhere, and the message of such an issue lists the keys
 * that are known there, so that `schema-issues.ts` can guess which one was meant.
 */
import { z } from 'zod';
import { list, mapping } from './schema-forms.ts';
import { network } from './schema-network.ts';
import { node } from './schema-node.ts';
import { capture, name, nameKey } from './schema-values.ts';

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

/** The lab file as JSON Schema, for editors. */
export function labJsonSchema(): Record<string, unknown> {
  return { title: 'vmlan lab', ...z.toJSONSchema(labSchema, { io: 'input' }) };
}
