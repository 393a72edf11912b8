/** What a lab file says of a machine that vmlan starts. */
import { z } from 'zod';
import { splitShellWords } from '../qemu/shell-words.ts';
import { list, mapping, parsed } from './schema-forms.ts';
import { file } from './schema-values.ts';
import { parseMemory, parsePatience } from './setting-text.ts';

const disk = mapping({
  file,
  format: z.string().min(1).optional().describe('qcow2, raw, …; by the name of the file where it is left out'),
  interface: z.string().min(1).optional().describe('virtio where it is left out; ide, scsi, none, …'),
  snapshot: z.boolean().optional().describe('true: what the machine writes is forgotten when it ends'),
  'read-only': z.boolean().optional(),
});

const words = parsed('bad-words', 'a line of words', ['-cpu host -vga none'], splitShellWords);

export const machine = mapping({
  command: file
    .optional()
    .describe('The QEMU that runs it, by name or by path; qemu-system-x86_64 where it is left out'),
  args: z
    .union([words, list(z.string())], { error: 'expected a line of words or a list of them' })
    .optional()
    .describe('More words for QEMU, behind those of vmlan'),
  memory: z
    .union([z.int().min(1).max(16_777_216), parsed('bad-memory', 'a size of memory', ['512M', '2G'], parseMemory)], {
      error: 'expected MiB, or a size such as 2G',
    })
    .optional()
    .describe('512M where it is left out'),
  cpus: z.int().min(1).max(1024).optional(),
  disk: z
    .union([file, disk, list(z.union([file, disk], { error: 'expected a file or { file, format, … }' }))], {
      error: 'expected a file, { file, format, … } or a list of them',
    })
    .optional()
    .describe('Disk images, and .iso files as CD-ROMs; relative to the lab file'),
  kernel: file.optional().describe('A Linux kernel that QEMU loads itself; relative to the lab file'),
  initrd: file.optional(),
  append: z.string().optional().describe("The kernel's command line"),
  model: parsed('bad-model', 'a network device of QEMU', ['virtio-net-pci', 'e1000'], (text) =>
    /^[a-z0-9][\w.-]*$/i.test(text) ? text : undefined,
  ).optional(),
  autostart: z.boolean().optional().describe('false: only vmlan node start starts it'),
  stop: parsed('bad-time', 'a time from 0s to 10m', ['10s', '2m'], parsePatience)
    .optional()
    .describe('How long the guest may take to switch itself off before QEMU is ended; 10s where it is left out'),
});

export type MachineEntry = z.output<typeof machine>;
export type DiskEntry = z.output<typeof disk>;
