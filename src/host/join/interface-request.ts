/**
 * Questions and orders about one network interface, netdevice(7): an `ifreq` of 40 octets.
 *
 *     0 name, 16 octets, ended by zero    16 flags, index, or the address of what is asked of the driver
 */
import type { SystemCalls } from '../system-calls.ts';

const REQUEST_LENGTH = 40;
const VALUE = 16;

const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
const SIOCGIFINDEX = 0x8933;
const SIOCETHTOOL = 0x8946;
const IFF_UP = 1;

/** `ethtool_value` orders, linux/ethtool.h. Without checksums the kernel cuts what is larger than a frame itself, too. */
const ETHTOOL_STXCSUM = 0x17;

function requestFor(name: string): Buffer {
  const request = Buffer.alloc(REQUEST_LENGTH);
  request.write(name, 'latin1');
  return request;
}

/** By what descriptor TUNSETIFF names an interface: its flags. */
export function flagsRequest(name: string, flags: number): Buffer {
  const request = requestFor(name);
  request.writeUInt16LE(flags, VALUE);
  return request;
}

/** The interface's number in the network namespace of the socket; undefined where there is none of that name. */
export function interfaceIndex(system: SystemCalls, socket: number, name: string): number | undefined {
  const request = requestFor(name);
  return system.ioctl(socket, SIOCGIFINDEX, request) === 0 ? request.readInt32LE(VALUE) : undefined;
}

export function bringUp(system: SystemCalls, socket: number, name: string): boolean {
  const request = requestFor(name);
  if (system.ioctl(socket, SIOCGIFFLAGS, request) !== 0) return false;
  request.writeUInt16LE(request.readUInt16LE(VALUE) | IFF_UP, VALUE);
  return system.ioctl(socket, SIOCSIFFLAGS, request) === 0;
}

/** Has the kernel finish checksums, and with them segments, before frames come to the interface. */
export function finishChecksums(system: SystemCalls, socket: number, name: string): boolean {
  const order = Buffer.allocUnsafeSlow(8);
  order.writeUInt32LE(ETHTOOL_STXCSUM, 0);
  order.writeUInt32LE(0, 4);
  const request = requestFor(name);
  request.writeBigUInt64LE(system.addressOf(order), VALUE);
  return system.ioctl(socket, SIOCETHTOOL, request) === 0 && order.length > 0; // the order lives until here
}
