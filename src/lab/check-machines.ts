/** Checks the machines that a lab file lets vmlan start, and fills in what it leaves out. */
import type { IssuePath } from '../base/issue.ts';
import type { MachineDisk } from '../qemu/machine-arguments.ts';
import type { Report } from './check-networks.ts';
import { deriveUuid } from './derive.ts';
import type { MachinePlan } from './machine-plan.ts';
import type { SoundLab } from './schema-issues.ts';
import type { DiskEntry, MachineEntry } from './schema-machine.ts';
import type { SeedPlan } from './seed-plan.ts';

const DEFAULT_PROGRAM = 'qemu-system-x86_64';
/** MiB. */
const DEFAULT_MEMORY = 512;
const DEFAULT_MODEL = 'virtio-net-pci';
const DEFAULT_PATIENCE = 10_000;

export function checkMachines(
  lab: string,
  sound: SoundLab,
  seeds: readonly SeedPlan[],
  report: Report,
): readonly MachinePlan[] {
  return Object.entries(sound.lab?.nodes ?? {}).flatMap(([node, { qemu }]) => {
    if (qemu === undefined) return [];
    const path = ['nodes', node, 'qemu'];
    checkKernel(qemu, path, sound, report);
    checkArgs(qemu, path, report);
    const seed = seeds.find((each) => each.node === node)?.url;
    return [{ ...machinePlan(lab, node, qemu), ...(seed !== undefined && { seed }) }];
  });
}

function machinePlan(lab: string, node: string, entry: MachineEntry): MachinePlan {
  const { kernel, initrd, append, disk = [] } = entry;
  return {
    node,
    uuid: deriveUuid(lab, node),
    program: entry.command ?? DEFAULT_PROGRAM,
    memory: entry.memory ?? DEFAULT_MEMORY,
    cpus: entry.cpus ?? 1,
    disks: entriesOf(Array.isArray(disk) ? disk : [disk]).map(diskOf),
    ...(kernel !== undefined && { kernel }),
    ...(initrd !== undefined && { initrd }),
    ...(append !== undefined && { append }),
    args: entriesOf(entry.args),
    model: entry.model ?? DEFAULT_MODEL,
    isAutostarted: entry.autostart !== false,
    patience: entry.stop ?? DEFAULT_PATIENCE,
    folder: '.',
  };
}

function entriesOf<Entry>(list: readonly (Entry | undefined)[] | undefined): readonly Entry[] {
  return (list ?? []).filter((entry) => entry !== undefined);
}

/** An image whose format nobody says is never probed: its guest could write another format into it. */
function diskOf(given: DiskEntry | string): MachineDisk {
  const entry: DiskEntry = typeof given === 'string' ? { file: given } : given;
  const isCdrom = /\.iso$/i.test(entry.file);
  const bus = entry.interface ?? (isCdrom ? undefined : 'virtio');
  return {
    file: entry.file,
    format: entry.format ?? formatOf(entry.file),
    ...(bus !== undefined && { interface: bus }),
    isCdrom,
    isReadOnly: entry['read-only'] ?? isCdrom,
    isSnapshot: entry.snapshot === true,
  };
}

function formatOf(file: string): string {
  return /\.(qcow2|qed|vdi|vhdx|vmdk)$/i.exec(file)?.[1]?.toLowerCase() ?? 'raw';
}

function checkKernel({ kernel, initrd, append }: MachineEntry, path: IssuePath, sound: SoundLab, report: Report): void {
  if (kernel !== undefined || sound.hasFaultIn([...path, 'kernel'])) return;
  for (const [key, value] of Object.entries({ initrd, append })) {
    if (value === undefined) continue;
    const message = `${key} is for a kernel that QEMU loads itself`;
    report({
      code: 'no-kernel',
      path: [...path, key],
      message,
      hint: 'add kernel: FILE, or remove it',
      isAboutKey: true,
    });
  }
}

/** Without these a machine is not found again, or ends with vmlan. */
const OWN_OPTIONS = new Set(['daemonize', 'pidfile', 'uuid', 'runas', 'chroot']);

function checkArgs({ args = [] }: MachineEntry, path: IssuePath, report: Report): void {
  for (const word of args) {
    const name = /^--?([a-z]+)$/.exec(word ?? '')?.[1];
    if (name === undefined || !OWN_OPTIONS.has(name)) continue;
    const message = `-${name} is for vmlan to say`;
    report({ code: 'reserved-option', path: [...path, 'args'], message, hint: 'leave it out' });
  }
}
