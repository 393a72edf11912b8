/**
 * A veth whose other end lies in a namespace of its own, where a packet socket, packet(7), hears and sends. The command's namespace has
 * nothing but its end.
 *
 *     namespace of the command          namespace of the wire
 *     eth0 ───────────────────────────── vmlan0 ── packet socket ── this process
 *
 * The kernel takes VLAN tags out of the frames that packet sockets hear and tells of them beside the octets; here they come back to
 * their place.
 */
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { StartError } from '../start-error.ts';
import type { SystemCalls } from '../system-calls.ts';
import type { Card, CardSettings } from './card.ts';
import { CARD_NAME } from './card.ts';
import { bringUp, finishChecksums, interfaceIndex } from './interface-request.ts';
import { ip } from './ip-command.ts';
import { TaggedFrames } from './tagged-frames.ts';

const WIRE_NAME = 'vmlan0';

const AF_INET = 2;
const AF_PACKET = 17;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const ETH_P_ALL = 3;
const SOL_PACKET = 263;
const PACKET_AUXDATA = 8;
const PACKET_IGNORE_OUTGOING = 23;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const CLONE_NEWNET = 0x4000_0000;

/** Octets of the kernel's queue; it gives what it allows (`net.core.rmem_max`). */
const QUEUE = 4 * 1024 * 1024;

export function openVeth(system: SystemCalls, { mac, mtu }: CardSettings): Card {
  const fail = (what: string): never => {
    throw new StartError('no-card', `${what} (${getSystemErrorName(-system.errno())})`);
  };
  // The far end is a wire and no station of its own: it has nothing to say by IPv6.
  writeFileSync('/proc/sys/net/ipv6/conf/default/disable_ipv6', '1');
  const fd = system.socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) fail('there is no packet socket');
  const wireSide = openSync('/proc/self/ns/net', 'r');
  try {
    if (system.unshare(CLONE_NEWNET) !== 0) fail('there is no network namespace for the command');
    ip(
      [
        `link add ${CARD_NAME} address ${mac} mtu ${mtu} type veth peer name ${WIRE_NAME} mtu ${mtu} netns /proc/self/fd/3`,
      ],
      wireSide,
    );
  } finally {
    closeSync(wireSide);
  }
  setOption(system, fd, SOL_PACKET, PACKET_AUXDATA, 1);
  setOption(system, fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
  setOption(system, fd, SOL_SOCKET, SO_RCVBUF, QUEUE);
  const index = interfaceIndex(system, fd, WIRE_NAME) ?? fail(`there is no ${WIRE_NAME}`);
  const address = linkAddress(index);
  if (system.bind(fd, address, address.length) !== 0) fail(`${WIRE_NAME} cannot be heard`);
  if (!bringUp(system, fd, WIRE_NAME)) fail(`${WIRE_NAME} does not come up`);
  const any = system.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (!finishChecksums(system, any, CARD_NAME)) fail(`checksums of ${CARD_NAME} are left unfinished`);
  system.close(any);
  ip([`link set ${CARD_NAME} up`]);
  const frames = new TaggedFrames(system, fd);
  return {
    kind: 'veth',
    fd,
    read: (bytes, at, room) => frames.read(bytes, at, room),
    write: (frame) => system.write(fd, frame, frame.length) >= 0,
  };
}

function setOption(system: SystemCalls, fd: number, level: number, option: number, value: number): void {
  const octets = Buffer.allocUnsafeSlow(4);
  octets.writeInt32LE(value);
  system.setsockopt(fd, level, option, octets, 4);
}

/** `sockaddr_ll`: 0 family, 2 protocol in network order, 4 interface, then what only senders and answers need. */
function linkAddress(index: number): Buffer {
  const address = Buffer.alloc(20);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16BE(ETH_P_ALL, 2);
  address.writeInt32LE(index, 4);
  return address;
}
