/** What a guest asks of its gateway, as one call each. */
import type { BareMachine } from './bare-machine.ts';
import type { Fields } from './frame-fields.ts';
import * as raw from './raw-frames.ts';

export const GATEWAY = '10.0.2.2';
export const DNS = '10.0.2.3';

export const isDhcp = (frame: Fields): boolean => 'dhcp.operation' in frame;
export const isArp = (frame: Fields): boolean => 'arp.operation' in frame;
export const isUdp = (frame: Fields): boolean => 'udp.ports' in frame;
export const isTcp = (frame: Fields): boolean => 'tcp.ports' in frame;
export const isIcmp = (frame: Fields): boolean => 'icmp.type' in frame;

/** From the machine to an address that the gateway answers for. */
export function towards(machine: BareMachine, destination: string, via = GATEWAY): raw.Ends {
  return { sourceMac: machine.mac, destinationMac: machine.macOf(via), source: machine.address, destination };
}

export type DhcpOption = raw.DhcpFields['options'][number];

/** Option 55 with every code that vmlan or libslirp knows. */
export const ASK_FOR_ALL: DhcpOption = [55, [1, 3, 6, 12, 15, 26, 28, 42, 51, 54, 58, 59, 66, 67, 119, 121]];

export function discover(machine: BareMachine, ...options: readonly DhcpOption[]): Promise<Fields> {
  return machine.answer(isDhcp, raw.dhcpFrame({ mac: machine.mac, type: raw.DISCOVER, transaction: 7, options }));
}

/** From SELECTING: the address that was offered, and who offered it. */
export function request(
  machine: BareMachine,
  address: string,
  server: string,
  ...options: readonly DhcpOption[]
): Promise<Fields> {
  const asked: readonly DhcpOption[] = [[50, raw.ipv4(address)], [54, raw.ipv4(server)], ...options];
  return machine.answer(isDhcp, raw.dhcpFrame({ mac: machine.mac, type: raw.REQUEST, transaction: 7, options: asked }));
}

export function whoHas(machine: BareMachine, address: string): Promise<Fields> {
  return machine.answer(isArp, raw.arpRequest(machine, address));
}

/** What came back for the frames before the gateway answered an ARP request that followed them. */
export function silence(machine: BareMachine, gateway: string, ...frames: readonly Uint8Array[]): Promise<Fields[]> {
  const isAnswer = (frame: Fields) => frame['arp.sender']?.endsWith(` ${gateway}`) === true;
  return machine.before(isAnswer, raw.arpRequest(machine, gateway), ...frames);
}

export function ping(machine: BareMachine, destination: string, via = GATEWAY): Promise<Fields> {
  const message = raw.echoRequest(77, 1, raw.ascii('hello'));
  return machine.answer(isIcmp, raw.icmpFrame(towards(machine, destination, via), message));
}
