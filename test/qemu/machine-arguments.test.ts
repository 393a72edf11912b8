import { describe, expect, it } from 'vitest';
import type { MachineSettings } from '../../src/qemu/machine-arguments.ts';
import { machineArguments } from '../../src/qemu/machine-arguments.ts';
import { machineEnd, machineEndText } from '../../src/qemu/machine-end.ts';

const PLACES = {
  qmp: '/run/web.qmp',
  console: '/run/web.console',
  consoleLog: '/log/a,b.log',
  pidFile: '/run/web.pid',
};
const PLAIN: MachineSettings = { name: 'office/web', uuid: 'u-1', memory: 512, cpus: 1, disks: [], args: [] };

describe('the words of a machine', () => {
  it('let vmlan find it again and keep what its console says', () => {
    expect(machineArguments(PLAIN, PLACES, [])).toEqual([
      ...[
        '-name',
        'guest=office/web',
        '-uuid',
        'u-1',
        '-m',
        '512',
        '-smp',
        '1',
        '-display',
        'none',
        '-monitor',
        'none',
      ],
      ...['-pidfile', '/run/web.pid'],
      ...['-chardev', 'socket,id=vmlan-qmp,path=/run/web.qmp,server=on,wait=off'],
      ...['-mon', 'chardev=vmlan-qmp,mode=control', '-chardev'],
      'socket,id=vmlan-console,path=/run/web.console,server=on,wait=off,logfile=/log/a,,b.log,logappend=on',
      ...['-serial', 'chardev:vmlan-console'],
    ]);
  });

  it('have its disks and its kernel, and the own words of the operator at the end', () => {
    const disk = { file: 'a,b.qcow2', format: 'qcow2', interface: 'virtio', isCdrom: false, isReadOnly: false };
    const words = machineArguments(
      {
        ...PLAIN,
        disks: [
          { ...disk, isSnapshot: true },
          { file: 'x.iso', format: 'raw', isCdrom: true, isReadOnly: true, isSnapshot: false },
        ],
        ...{ kernel: 'vmlinuz', initrd: 'initrd.img', append: 'console=ttyS0', args: ['-cpu', 'max'] },
      },
      PLACES,
      [],
    );
    expect(words.slice(words.indexOf('-drive'))).toEqual([
      ...['-drive', 'file=a,,b.qcow2,format=qcow2,if=virtio,snapshot=on'],
      ...['-drive', 'file=x.iso,format=raw,media=cdrom,readonly=on'],
      ...['-kernel', 'vmlinuz', '-initrd', 'initrd.img', '-append', 'console=ttyS0', '-cpu', 'max'],
    ]);
  });

  it.each([['-accel', 'tcg'], ['-enable-kvm'], ['-machine', 'q35,accel=tcg']])(
    'choose no accelerator beside %s %s',
    (...args) => {
      expect(machineArguments(PLAIN, PLACES, ['kvm', 'tcg'])).toEqual(
        expect.arrayContaining(['-accel', 'kvm', '-accel', 'tcg']),
      );
      expect(machineArguments({ ...PLAIN, args }, PLACES, ['kvm', 'tcg'])).not.toContain('kvm');
    },
  );
});

it.each([
  ['guest-shutdown', { status: 0 }, 'shutdown', 'shut down'],
  ['guest-reset', {}, 'reset', 'restarted, which ends it with -no-reboot'],
  ['guest-panic', {}, 'panic', 'ended: its kernel panicked'],
  ['host-qmp-quit', { status: 0 }, 'quit', 'was switched off'],
  ['host-signal', { status: 0 }, 'terminated', 'ended: QEMU was told to by a signal'],
  ['guest-shutdown', { signal: 'SIGSEGV' }, 'crash', 'ended: QEMU failed with SIGSEGV'],
  [undefined, { status: 1 }, 'crash', 'ended: QEMU failed with status 1'],
  [undefined, { signal: 'SIGKILL' }, 'killed', 'ended: QEMU was killed'],
  ['anything', {}, 'unknown', 'ended, and nobody said why'],
  ['toString', {}, 'unknown', 'ended, and nobody said why'],
] as const)('a machine that ends by %s and %j has ended by %s', (reason, process, end, text) => {
  expect(machineEnd(reason, process)).toBe(end);
  expect(machineEndText(end, process)).toBe(text);
});
