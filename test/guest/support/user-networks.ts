/** QEMU's own user network and vmlan's with the same options, each with one machine that the test plays. */
import type { Socket } from 'node:net';
import type { Child } from '../../support/child.ts';
import { PROGRAM } from '../../support/vmlan.ts';
import type { Workbench } from '../../support/workbench.ts';
import { BareMachine, waitForPlug } from './bare-machine.ts';

export const GUEST_MAC = '52:54:00:12:34:56';

/** Starts a program in the place where both networks have their host; `bench.start` unless the test made a world of its own. */
export type Start = (command: string, args: readonly string[]) => Child;

export interface UserNetworks {
  readonly libslirp: BareMachine;
  readonly vmlan: BareMachine;
}

/** Starts both with `options`, as they stand behind `-netdev user,`. The machines have `address`. */
export async function startUserNetworks(
  bench: Workbench,
  options: string,
  {
    address = '10.0.2.15',
    start = (command, args) => bench.start(command, args),
    optionsOf = () => options,
  }: {
    readonly address?: string;
    readonly start?: Start;
    /** Where the two cannot have the same text, as with a port of the host. */
    readonly optionsOf?: (peer: 'libslirp' | 'vmlan') => string;
  } = {},
): Promise<UserNetworks> {
  const machine = (socket: Socket) => new BareMachine(socket, GUEST_MAC, address);
  const [libslirp, vmlan] = await Promise.all([
    startLibslirp(bench, start, optionsOf('libslirp')),
    startVmlanUser(bench, start, optionsOf('vmlan')),
  ]);
  return { libslirp: machine(libslirp), vmlan: machine(vmlan) };
}

/** A QEMU without a guest in which a hub joins `-netdev user` and `-netdev stream`. */
async function startLibslirp(bench: Workbench, start: Start, options: string): Promise<Socket> {
  const path = bench.freshPath('libslirp.sock');
  const { plugged } = await waitForPlug(path);
  start('qemu-system-x86_64', [
    ...['-M', 'none', '-nodefaults', '-display', 'none', '-serial', 'none', '-monitor', 'none'],
    ...['-netdev', `user,id=user${options === '' ? '' : `,${options}`}`],
    ...['-netdev', `stream,id=stream,server=off,addr.type=unix,addr.path=${path}`],
    ...['-netdev', 'hubport,id=a,hubid=0,netdev=user', '-netdev', 'hubport,id=b,hubid=0,netdev=stream'],
  ]);
  return plugged;
}

/** vmlan connects to us as to a QEMU that listens. */
async function startVmlanUser(bench: Workbench, start: Start, options: string): Promise<Socket> {
  const path = bench.freshPath('vmlan.sock');
  const { plugged } = await waitForPlug(path);
  const vmlan = start(process.execPath, [
    ...[PROGRAM, 'serve', '--json'],
    ...['--connect', `unix:${path}`, '--user', options === '' ? 'net=10.0.2.0/24' : options],
  ]);
  await vmlan.until('vmlan is ready', () => (vmlan.stdout.includes('"event":"ready"') ? true : undefined));
  return plugged;
}

/** What both answer to the same frames. */
export async function both<T>(
  networks: UserNetworks,
  ask: (machine: BareMachine) => Promise<T>,
): Promise<{ readonly libslirp: T; readonly vmlan: T }> {
  const [libslirp, vmlan] = await Promise.all([ask(networks.libslirp), ask(networks.vmlan)]);
  return { libslirp, vmlan };
}
