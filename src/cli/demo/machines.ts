/** The demo's machines: diskless ones in QEMU, or built-in ones where there is no QEMU, and a web server that is always built in. */

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
import { readPage } from './host-web.ts';
import {
  BOOT_FILE,
  DONE_LINE,
  LEASE_LINE,
  MISSING_LINE,
  PAGE_HOST,
  PAGE_PATH,
  PAGE_TEXT,
  SECOND_FILE,
  WEB_PATH,
  WEB_TEXT,
} from './lab.ts';

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
      if (qemu.isRunning) return MISSING_LINE.test(qemu.console) ? 'a file did not come' : undefined;
      const remedy = qemu.errors.includes('romfile')
        ? "; install QEMU's iPXE ROMs (on Debian: ipxe-qemu) or take --built-in"
        : '';
      return `QEMU ended: ${qemu.errors.trim() || 'it said nothing'}${remedy}`;
    },
    stop: () => qemu.stop(),
  };
}

/** A station of our own on the same LAN: takes a lease, fetches files, finds a name, reads a page of the host at `port`, pings the gateway. */
export function builtInMachine(nic: NicPlan, network: RunningNetwork, port: number): DemoMachine {
  return stationMachine(nic, network, (station) => boot(station, port));
}

/** A station that serves a page, which the host then reads through the forward at `forwardPort`. */
export function webMachine(nic: NicPlan, network: RunningNetwork, forwardPort: number): DemoMachine {
  return stationMachine(nic, network, async (station) => {
    if ((await station.boot(LEASE_TIMEOUT)) === undefined) return NO_LEASE;
    station.serveHttp(WEB_PORT, (path) => (path === WEB_PATH ? WEB_TEXT : undefined));
    const page = await readPage(forwardPort, WEB_PATH).catch((error: Error) => error);
    if (page === WEB_TEXT) return undefined;
    return page instanceof Error ? `the host could not reach it: ${page.message}` : 'the host read another page';
  });
}

/** `work` answers with what went wrong; undefined where nothing did. */
function stationMachine(
  nic: NicPlan,
  network: RunningNetwork,
  work: (station: Station) => Promise<string | undefined>,
): DemoMachine {
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
  work(station).then(
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

const WEB_PORT = 80;
const NO_LEASE = 'no DHCP server answered';

async function boot(station: Station, port: number): Promise<string | undefined> {
  const lease = await station.boot(LEASE_TIMEOUT);
  if (lease === undefined) return NO_LEASE;
  for (const file of [BOOT_FILE, SECOND_FILE]) {
    const result = await station.fetch(file);
    if (result.kind !== 'done') return `${file}: ${result.kind === 'error' ? result.message : 'no answer'}`;
  }
  const found = await station.lookUp(PAGE_HOST);
  if (found.kind !== 'found') return `${PAGE_HOST}: ${found.kind === 'none' ? `DNS code ${found.rcode}` : found.kind}`;
  const server = { address: found.addresses[0]!, port };
  const page = await station.fetchHttp(server, PAGE_HOST, PAGE_PATH);
  if (page.kind !== 'done') return `http://${PAGE_HOST}:${port}${PAGE_PATH}: ${page.why}`;
  if (new TextDecoder().decode(page.octets) !== PAGE_TEXT) return `${PAGE_PATH} is not the page of the host`;
  const gateway = lease.router ?? lease.server;
  const ping = await station.ping(gateway);
  return ping.kind === 'reply' ? undefined : `ping ${formatIpv4(gateway)}: ${ping.kind}`;
}
