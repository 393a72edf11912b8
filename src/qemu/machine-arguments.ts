/**
 * The words that start a machine of a lab, but for its cards: what its operator wished, and what lets vmlan find it again.
 *
 * QMP and the serial console are at sockets where QEMU listens, so that they outlive vmlan; QEMU itself writes what the console says
 * to a file. The operator's own words come last: of most options QEMU takes the last.
 */
import { formatOptionString } from './option-string.ts';

export interface MachineDisk {
  readonly file: string;
  readonly format: string;
  /** `virtio`, `ide`, `scsi`, …; QEMU's choice where undefined. */
  readonly interface?: string;
  readonly isCdrom: boolean;
  readonly isReadOnly: boolean;
  /** What the machine writes is forgotten when it ends. */
  readonly isSnapshot: boolean;
}

export interface MachineSettings {
  /** As QEMU shows it: `office/web`. */
  readonly name: string;
  readonly uuid: string;
  /** MiB. */
  readonly memory: number;
  readonly cpus: number;
  readonly disks: readonly MachineDisk[];
  readonly kernel?: string;
  readonly initrd?: string;
  readonly append?: string;
  /** Where cloud-init finds its seed. */
  readonly seed?: string;
  readonly args: readonly string[];
}

/** Where a machine that runs can be found. */
export interface MachinePlaces {
  /** Unix sockets: at `qmp` one client at a time is served, at `console` too. */
  readonly qmp: string;
  readonly console: string;
  /** All that the console said, of every start. */
  readonly consoleLog: string;
  readonly pidFile: string;
}

export const CONSOLE_ID = 'vmlan-console';
const QMP_ID = 'vmlan-qmp';

/** Of accelerators QEMU takes the first that works; the operator's own words about them stand alone. */
export function machineArguments(
  settings: MachineSettings,
  places: MachinePlaces,
  accelerators: readonly string[],
): readonly string[] {
  const { name, uuid, memory, cpus, disks, kernel, initrd, append, seed, args } = settings;
  return [
    ...['-name', formatOptionString([{ key: 'guest', value: name }]), '-uuid', uuid],
    ...(choosesAccelerator(args) ? [] : accelerators.flatMap((accelerator) => ['-accel', accelerator])),
    ...['-m', String(memory), '-smp', String(cpus)],
    ...['-display', 'none', '-monitor', 'none'],
    ...['-pidfile', places.pidFile],
    ...['-chardev', serverSocket(QMP_ID, places.qmp), '-mon', `chardev=${QMP_ID},mode=control`],
    ...['-chardev', serverSocket(CONSOLE_ID, places.console, places.consoleLog), '-serial', `chardev:${CONSOLE_ID}`],
    ...disks.flatMap((disk) => ['-drive', driveOption(disk)]),
    ...option('-kernel', kernel),
    ...option('-initrd', initrd),
    ...option('-append', append),
    ...(seed === undefined ? [] : seedArguments(seed)),
    ...args,
  ];
}

/**
 * The words that lead cloud-init to its seed, by the serial number in SMBIOS. `nocloud-net` is understood by all of its versions;
 * since 24.1 `nocloud` would do.
 */
export function seedArguments(url: string): readonly string[] {
  const serial = `ds=nocloud-net;s=${url}`;
  return [
    '-smbios',
    formatOptionString([
      { key: 'type', value: '1' },
      { key: 'serial', value: serial },
    ]),
  ];
}

function choosesAccelerator(args: readonly string[]): boolean {
  return args.some((word) => /^--?(accel|enable-kvm)$/.test(word) || /(^|,)accel=/.test(word));
}

function option(name: string, value: string | undefined): readonly string[] {
  return value === undefined ? [] : [name, value];
}

function serverSocket(id: string, path: string, log?: string): string {
  return formatOptionString([
    { key: 'socket' },
    { key: 'id', value: id },
    { key: 'path', value: path },
    { key: 'server', value: 'on' },
    { key: 'wait', value: 'off' },
    ...(log === undefined
      ? []
      : [
          { key: 'logfile', value: log },
          { key: 'logappend', value: 'on' },
        ]),
  ]);
}

function driveOption({ file, format, interface: bus, isCdrom, isReadOnly, isSnapshot }: MachineDisk): string {
  return formatOptionString([
    { key: 'file', value: file },
    { key: 'format', value: format },
    ...(bus === undefined ? [] : [{ key: 'if', value: bus }]),
    ...(isCdrom ? [{ key: 'media', value: 'cdrom' }] : []),
    ...(isReadOnly ? [{ key: 'readonly', value: 'on' }] : []),
    ...(isSnapshot ? [{ key: 'snapshot', value: 'on' }] : []),
  ]);
}
