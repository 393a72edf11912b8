import { expect, it } from 'vitest';
import { leases, startVmlan } from '../support/vmlan.ts';
import { Workbench } from '../support/workbench.ts';
import { connectTo, type FirmwareOptions, runFirmware } from './support/guest.ts';
import { describeGuests } from './support/qemu.ts';
import { tftpFolder } from './support/rig.ts';

const MAC = '52:54:00:00:00:0d';
const ADDRESS = '10.0.2.15';

interface Boot extends Pick<FirmwareOptions, 'kind' | 'memory'> {
  readonly what: string;
  readonly bootfile: string;
  readonly loaders?: readonly string[];
  readonly linux?: boolean;
  readonly steps: FirmwareOptions['steps'];
}

const see = (...texts: readonly string[]) => texts.map((expect) => ({ expect }));

const BOOTS: readonly Boot[] = [
  {
    what: 'iPXE (BIOS) runs a script',
    kind: 'ipxe',
    bootfile: 'boot.ipxe',
    steps: see(`IPXE-START ip=${ADDRESS} mask=255.255.255.0`, 'IPXE-TFTP-OK'),
  },
  {
    what: 'iPXE (UEFI) runs a script',
    kind: 'ipxe-uefi',
    bootfile: 'boot.ipxe',
    steps: see(`IPXE-START ip=${ADDRESS}`, 'IPXE-TFTP-OK'),
  },
  {
    what: 'UEFI PXE over IPv4 loads GRUB, which reads its configuration',
    kind: 'uefi4',
    bootfile: 'grubx64.efi',
    loaders: ['grubx64.efi'],
    steps: see('NBP file downloaded', 'GRUB-START', 'second', 'GRUB-DONE'),
  },
  {
    what: 'U-Boot gets a lease, pings the gateway and fetches a file',
    kind: 'uboot',
    bootfile: 'second.txt',
    steps: [
      ...[{ expect: 'autoboot' }, { send: '' }, { expect: '=> ' }],
      ...[
        { send: 'setenv autoload no; dhcp' },
        { expect: `DHCP client bound to address ${ADDRESS}` },
        { expect: '=> ' },
      ],
      ...[{ send: 'ping 10.0.2.2' }, { expect: 'is alive' }, { expect: '=> ' }],
      ...[{ send: 'tftpboot 0x1000000 10.0.2.2:second.txt' }, { expect: 'Bytes transferred = 7' }],
    ],
  },
  {
    what: 'iPXE boots Linux, 50 MB by TFTP',
    kind: 'ipxe',
    bootfile: 'linux.ipxe',
    linux: true,
    memory: 1024,
    steps: see('guest: ready'),
  },
];

describeGuests('diskless machines', () => {
  it.each(BOOTS.map((boot) => [boot.what, boot] as const))(
    '%s',
    async (_, { kind, bootfile, loaders, linux, memory, steps }) => {
      const bench = new Workbench();
      const socket = bench.path('net.sock');
      const folder = tftpFolder(bench, loaders, linux);
      await startVmlan(bench, ['serve', '--listen', `unix:${socket}`, '--user', `tftp=${folder},bootfile=${bootfile}`]);

      const nic = { netdev: connectTo(socket), mac: MAC };
      const booted = await runFirmware(bench, {
        kind,
        nic,
        steps,
        seconds: 120,
        ...(memory !== undefined && { memory }),
      });
      expect(booted.status, booted.output).toBe(0);
      expect(await leases(bench)).toEqual([expect.objectContaining({ mac: MAC, address: ADDRESS })]);
    },
  );
});
