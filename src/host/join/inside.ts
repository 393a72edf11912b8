/**
 * The first process of the namespaces in which a command lives that joined a network: it is the wire between the command's `eth0` and the
 * lab, keeps its address, and ends when the command, the lab or `vmlan exec` does. With it the kernel ends everything that the command
 * left running, and the namespaces with all that was mounted and configured in them.
 *
 *     vmlan exec ── descriptor 3: signals; its end is the end ──> this process ── starts ──> command
 *                                          lab ── stream socket ──┘    └── TAP or packet socket ── eth0
 */
import { Socket } from 'node:net';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { Counters } from '../../base/counters.ts';
import { countDrops } from '../../link/drops.ts';
import type { FrameSink } from '../../link/frame-batch.ts';
import type { ClientLease } from '../../station/dhcp-client.ts';
import { LeaseKeeper } from '../../station/lease-keeper.ts';
import { formatIpv4 } from '../../wire/ipv4-address.ts';
import { parseMac } from '../../wire/mac.ts';
import { nodeRandom, nodeScheduler } from '../clock.ts';
import { connectUnix } from '../connect-unix.ts';
import type { ExitStatus } from '../foreground.ts';
import { runInForeground } from '../foreground.ts';
import { StartError } from '../start-error.ts';
import { StreamPort } from '../stream-port.ts';
import type { SystemCalls } from '../system-calls.ts';
import { CARD_NAME } from './card.ts';
import { buryOrphans, leaveCapabilities } from './command-process.ts';
import { ip } from './ip-command.ts';
import { KernelPort } from './kernel-port.ts';
import { openCard } from './open-card.ts';
import type { Names } from './own-files.ts';
import { OwnFiles, RESOLVER, showOwnNamespaces } from './own-files.ts';

/** What `vmlan exec` tells the process inside, as JSON. */
export interface InsideSettings {
  /** The unix socket of the lab where this station arrives. */
  readonly socket: string;
  readonly port: string;
  readonly network: string;
  readonly mac: string;
  readonly mtu: number;
  /** Without it the address is asked for by DHCP. */
  readonly fixed?: FixedAddress;
  /** Name servers in place of those that DHCP tells of. */
  readonly dns?: readonly string[];
  readonly command: readonly string[];
}

export interface FixedAddress {
  /** `10.0.2.50/24`. */
  readonly interface: string;
  readonly router?: string;
}

/** The descriptor by which `vmlan exec` speaks to the process inside: names of signals, a line each. */
export const ORDERS = 3;

/** Octets that may wait for the lab before the kernel's card is left unread. */
const LAB_QUEUE = 256 * 1024;
/** Milliseconds: nobody answers DHCP. */
const LEASE_PATIENCE = 10_000;
/** Milliseconds that the command has to end when the lab or `vmlan exec` has. */
const LAST_WORDS = 1000;

/** Joins the network, runs the command and resolves with its exit status. Rejects with a `StartError`. */
export async function runInside(system: SystemCalls, settings: InsideSettings): Promise<ExitStatus> {
  const ending = new Ending();
  hearOrders(() => ending.begin(undefined));
  const socket = await connectUnix(settings.socket);
  const files = new OwnFiles(system, dirname(settings.socket));
  if (!files.tellsNames) say(`without ${RESOLVER} on this machine names are not found; make an empty one`);
  const drops = countDrops(new Counters());
  const kernel = new KernelPort(system, openCard(system, settings), settings.mtu, drops);
  showOwnNamespaces(system);
  ip(['link set lo up']);
  const lab = new StreamPort(socket, drops, () => ending.begin(`the network ${settings.network} has gone`));
  kernel.attach({
    push: (batch, first, end) => {
      lab.push(batch, first, end);
      if (lab.queued > LAB_QUEUE) kernel.pause();
    },
  });
  const receive = (sink: FrameSink) =>
    lab.attach({ push: (batch, first, end) => sink.push(batch, first, end), drained: () => kernel.resume() });
  const release = await configured(settings, lab, kernel, files, receive);
  leaveCapabilities(system);
  let command: number | undefined;
  process.on('SIGCHLD', () => buryOrphans(system, (pid) => pid === command));
  try {
    return await runInForeground(settings.command, {
      // nmap takes those without user id 0 for people without privileges.
      env: { NMAP_PRIVILEGED: '1', ...process.env },
      onStart: (pid) => {
        command = pid;
      },
    });
  } finally {
    ending.isOver = true;
    await release();
    lab.close();
  }
}

/** Gives the card its address; what is returned gives it back. */
async function configured(
  { fixed, dns, network, port, mac, mtu }: InsideSettings,
  lab: FrameSink,
  kernel: KernelPort,
  files: OwnFiles,
  receive: (sink: FrameSink) => void,
): Promise<() => Promise<void>> {
  if (fixed !== undefined) {
    receive(kernel);
    setAddress(fixed);
    files.setNames({ servers: dns ?? [] });
    return async () => undefined;
  }
  let lease: ClientLease | undefined;
  let isLeaving = false;
  let onLease: () => void = () => undefined;
  const bound = (fresh: ClientLease): void => {
    if (addressText(fresh) !== (lease && addressText(lease))) {
      try {
        setAddress(addressOf(fresh));
      } catch (error) {
        if (!(error instanceof StartError)) throw error;
        lease = undefined; // the old address is gone already
        say(`${error.message}; the lease is not taken`);
        return;
      }
    }
    lease = fresh;
    files.setNames(namesOf(fresh, dns));
    onLease();
  };
  const lost = (): void => {
    lease = undefined;
    if (!isLeaving) ip([FLUSH]);
  };
  const own = { name: port, mac: parseMac(mac) ?? 0, mtu, scheduler: nodeScheduler, random: nodeRandom };
  const keeper = new LeaseKeeper(lab, kernel, own, { bound, lost });
  receive(keeper);
  keeper.start();
  await new Promise<void>((resolve, reject) => {
    const patience = setTimeout(
      () => reject(new StartError('no-lease', `nobody answers DHCP on ${network}; give --address ADDRESS/LENGTH`)),
      LEASE_PATIENCE,
    );
    onLease = () => {
      clearTimeout(patience);
      resolve();
    };
  });
  return () => {
    isLeaving = true;
    return new Promise((resolve) => keeper.release(resolve));
  };
}

const FLUSH = `addr flush dev ${CARD_NAME} scope global`;

function setAddress({ interface: address, router }: FixedAddress): void {
  const route = router === undefined ? [] : [`route replace default via ${router} dev ${CARD_NAME} onlink`];
  ip([FLUSH, `addr add ${address} broadcast + dev ${CARD_NAME}`, ...route]);
}

function addressOf({ interface: { address, prefixLength }, router }: ClientLease): FixedAddress {
  const own = `${formatIpv4(address)}/${prefixLength}`;
  return router === undefined ? { interface: own } : { interface: own, router: formatIpv4(router) };
}

const addressText = (lease: ClientLease) => JSON.stringify(addressOf(lease));

function namesOf({ dns, domain }: ClientLease, instead: readonly string[] | undefined): Names {
  return { servers: instead ?? dns.map(formatIpv4), domain };
}

/** Signals that were sent to `vmlan exec` alone come to the command; `onEnd` hears that `vmlan exec` has gone. */
function hearOrders(onEnd: () => void): void {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  const orders = new Socket({ fd: ORDERS, readable: true, writable: false });
  orders.on('error', onEnd);
  createInterface(orders)
    .on('line', (signal) => process.emit(signal as NodeJS.Signals))
    .on('close', onEnd);
}

/** The end that others bring: the command hears SIGHUP, as at a terminal that has gone, and the namespace ends soon after. */
class Ending {
  isOver = false;

  begin(why: string | undefined): void {
    if (this.isOver) return;
    this.isOver = true;
    if (why !== undefined) say(`${why}; the command ends`);
    process.emit('SIGHUP');
    setTimeout(() => process.exit(EXIT_HANGUP), LAST_WORDS);
  }
}

/** 128 and the number of SIGHUP. */
const EXIT_HANGUP = 129;

/** Standard output is the command's. */
function say(sentence: string): void {
  process.stderr.write(`vmlan: ${sentence}\n`);
}
