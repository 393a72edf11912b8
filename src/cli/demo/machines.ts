/** The demo's machines: diskless ones in QEMU, or built-in ones where there is no QEMU. */

import { nodeRandom, nodeScheduler } from '../../host/clock.ts';
import type { QemuProcess } from '../../host/qemu-process.ts';
import { startQemu } from '../../host/qemu-process.ts';
import type { NicPlan } from '../../lab/plan.ts';
import { portName } from '../../lab/plan.ts';
import type { RunningNetwork } from '../../lab/running-network.ts';
import { netdevArguments } from '../../qemu/netdev-arguments.ts';
import type { QemuVersion } from '../../qemu/version.ts';
import { Station } from '../../station/station.ts';
import { formatIpv4 } from '../../wire/ipv4-address.ts';
import { formatMac } from '../../wire/mac.ts';
import type { NicSockets } from '../sockets.ts';
import { BOOT_FILE, DONE_LINE, LEASE_LINE, SECOND_FILE } from './lab.ts';

export interface DemoMachine {
  readonly name: string;
  /** The address that the machine itself says it has. */
  readonly address: string | undefined;
  /** It has done all that it was to do. */
  readonly isDone: boolean;
  /** Why it will never be done. */
  readonly failure: string | undefined;
  stop(): Promise<void>;
}

/** A PC without a disk: its firmware runs the iPXE that comes with QEMU's network card. */
export function qemuMachine(program: string, version: QemuVersion, nic: NicPlan, sockets: NicSockets): DemoMachine {
  const at = {
    listen: { kind: 'unix', path: sockets.listen },
    connect: { kind: 'unix', path: sockets.connect },
  } as const;
  const network = netdevArguments({ name: nic.name, sockets: at, mac: formatMac(nic.mac), mtu: 1500 }, version);
  if ('issue' in network) throw new Error(network.issue.message);
  const qemu: QemuProcess = startQemu(program, [
    ...[
      '-accel',
      'tcg',
      '-M',
      'pc,graphics=off',
      '-m',
      '128',
      '-nodefaults',
      '-no-user-config',
      '-display',
      'none',
      '-vga',
      'none',
    ],
    ...['-no-reboot', '-boot', 'n', '-monitor', 'none', '-serial', 'stdio'],
    ...network.words,
  ]);
  return {
    name: nic.node,
    get address() {
      return LEASE_LINE.exec(qemu.console)?.[1];
    },
    get isDone() {
      return DONE_LINE.test(qemu.console);
    },
    get failure() {
      if (qemu.isRunning) return undefined;
      const remedy = qemu.errors.includes('romfile')
        ? "; install QEMU's iPXE ROMs (on Debian: ipxe-qemu) or take --built-in"
        : '';
      return `QEMU ended: ${qemu.errors.trim() || 'it said nothing'}${remedy}`;
    },
    stop: () => qemu.stop(),
  };
}

/** A station of our own on the same LAN: takes a lease, fetches both files, pings the gateway. */
export function builtInMachine(nic: NicPlan, network: RunningNetwork): DemoMachine {
  const station = new Station({
    name: nic.node,
    mac: nic.mac,
    mtu: network.plan.mtu,
    scheduler: nodeScheduler,
    random: nodeRandom,
  });
  network.welcome({ peer: 'built-in', accept: () => station.port, refuse: () => undefined }, portName(nic));
  let failure: string | undefined;
  let isDone = false;
  boot(station).then(
    (problem) => {
      failure = problem;
      isDone = problem === undefined;
    },
    (error: Error) => {
      failure = error.message;
    },
  );
  return {
    name: nic.node,
    get address() {
      return station.lease && formatIpv4(station.lease.interface.address);
    },
    get isDone() {
      return isDone;
    },
    get failure() {
      return failure;
    },
    stop: async () => station.cutPower(),
  };
}

const LEASE_TIMEOUT = 6_000;

/** What went wrong; undefined where nothing did. */
async function boot(station: Station): Promise<string | undefined> {
  const lease = await station.boot(LEASE_TIMEOUT);
  if (lease === undefined) return 'no DHCP server answered';
  for (const file of [BOOT_FILE, SECOND_FILE]) {
    const result = await station.fetch(file);
    if (result.kind !== 'done') return `${file}: ${result.kind === 'error' ? result.message : 'no answer'}`;
  }
  const gateway = lease.router ?? lease.server;
  const ping = await station.ping(gateway);
  return ping.kind === 'reply' ? undefined : `ping ${formatIpv4(gateway)}: ${ping.kind}`;
}
