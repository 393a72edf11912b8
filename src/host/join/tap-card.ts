/** A TAP: a card of the kernel that is a descriptor, Documentation/networking/tuntap.rst. */
import { closeSync, constants, openSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { StartError } from '../start-error.ts';
import type { SystemCalls } from '../system-calls.ts';
import type { Card, CardSettings } from './card.ts';
import { CARD_NAME } from './card.ts';
import { flagsRequest } from './interface-request.ts';
import { ip } from './ip-command.ts';

export const TUN_DEVICE = '/dev/net/tun';
const TUNSETIFF = 0x4004_54ca;
const IFF_TAP = 0x0002;
const IFF_NO_PI = 0x1000;

/** Undefined where the device is closed to this user, or not there. */
export function openTap(system: SystemCalls, { mac, mtu }: CardSettings): Card | undefined {
  const fd = openDevice();
  if (fd === undefined) return undefined;
  if (system.ioctl(fd, TUNSETIFF, flagsRequest(CARD_NAME, IFF_TAP | IFF_NO_PI)) !== 0) {
    const why = getSystemErrorName(-system.errno());
    closeSync(fd);
    throw new StartError('no-card', `${TUN_DEVICE} makes no TAP (${why})`);
  }
  ip([`link set ${CARD_NAME} address ${mac} mtu ${mtu} up`]);
  return {
    kind: 'tap',
    fd,
    read: (bytes, at, room) => system.read(fd, bytes.subarray(at, at + room), room),
    write: (frame) => system.write(fd, frame, frame.length) >= 0,
  };
}

function openDevice(): number | undefined {
  try {
    return openSync(TUN_DEVICE, constants.O_RDWR | constants.O_NONBLOCK);
  } catch {
    return undefined; // the other way will do
  }
}
