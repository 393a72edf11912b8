/** What a lab file says of a machine that sets itself up by cloud-init. */
import { z } from 'zod';
import { mapping, oneOrMore } from './schema-forms.ts';
import { file, name } from './schema-values.ts';

/** A document of cloud-init: a file as it is, or what it shall hold. */
const document = z.union([file, z.record(z.string(), z.unknown())], { error: 'expected a file or a mapping' });

export const cloudInit = mapping({
  'user-data': document.optional().describe('A file of any form that cloud-init knows, or a cloud-config'),
  'ssh-authorized-keys': oneOrMore(z.string().min(1, 'the key is missing'), 'a public key or a file that holds some')
    .optional()
    .describe("Keys that the image's default user logs in with: a key, or a file such as ~/.ssh/id_ed25519.pub"),
  hostname: name.optional().describe("The node's name where it is left out"),
  'network-config': document
    .optional()
    .describe('DHCP on every card whose network has it where it is left out; cloud-init reads it since 24.3'),
});

export type CloudInitEntry = z.output<typeof cloudInit>;
