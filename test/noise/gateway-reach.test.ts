import { expect, it } from 'vitest';
import { readMac } from '../../src/wire/mac.ts';
import { A, B, C } from '../support/frames.ts';
import { GATEWAY, GatewayWire, GUEST, NAMES, SHARE, segmentFrame, WORLD } from '../support/gateway-wire.ts';
import { endpoint } from '../support/nat-wire.ts';
import {
  arpFrame,
  echoRequest,
  fragmentsOf,
  ip,
  ipv4Frame,
  pattern,
  requestFrom,
  udpPayload,
} from '../support/stack-peer.ts';

const NOBODY = [
  ...['0.0.0.0', '0.0.0.1', '127.0.0.1', '127.0.0.53', '127.255.255.255', '10.0.2.0', '10.0.2.255'],
  ...['10.0.2.99', '224.0.0.1', '239.255.255.250', '240.0.0.1', '255.255.255.255', '169.254.169.254'],
  ...['169.254.170.2', '100.100.100.200', '192.0.0.192', '168.63.129.16', '10.0.2.2', '10.0.2.3', '10.0.2.4'],
];

/** Every way to speak to an address. */
function everything(source: number, destination: number, mac = B): Uint8Array[] {
  const addresses = { source, destination, mac };
  const datagram = udpPayload(5000, 8000, pattern(100), addresses);
  const [toMac, toAll] = [A, 0xffffffffffff];
  return [
    segmentFrame({ source, to: destination, port: 8000, mac }),
    ipv4Frame(datagram, addresses),
    ipv4Frame(datagram, { ...addresses, toMac: toAll }),
    ...fragmentsOf(datagram, 64, { ...addresses, toMac }),
    ...(destination === GATEWAY || destination === NAMES || destination === SHARE
      ? []
      : [echoRequest(pattern(8), addresses)]),
  ];
}

it.each(NOBODY)('%s leads a guest neither to the host nor to anybody else', async (address) => {
  const wire = await new GatewayWire().start();
  const [counted, frames] = [wire.counted, everything(GUEST, ip(address))];
  wire.send(...frames);
  await wire.pass(100);
  expect(wire.asked).toBe(0);
  expect(wire.net.echoes).toEqual([]);
  expect(wire.counted - counted).toBeGreaterThanOrEqual(frames.length - 1); // two fragments are one datagram
});

it.each(['0.0.0.0', '10.0.2.2', '10.0.2.3', '10.0.2.255', '127.0.0.1', '224.0.0.1', '255.255.255.255', '192.0.2.1'])(
  'a guest that calls itself %s reaches nobody',
  async (source) => {
    const wire = await new GatewayWire({ hostAccess: 'all' }).start();
    for (const to of [WORLD, GATEWAY, SHARE]) wire.send(...everything(ip(source), to));
    await wire.pass(100);
    expect(wire.asked).toBe(0);
    expect(wire.net.echoes).toEqual([]);
  },
);

it('a guest that has the address of another does not hear what the world answers', async () => {
  const wire = await new GatewayWire().start();
  wire.send(...everything(GUEST, WORLD, C));
  wire.net.sockets.at(-1)!.feed(pattern(5), endpoint('192.0.2.7', 8000));
  wire.net.lastStream.open();
  await wire.pass(100);
  const said = wire.machine.take();
  expect(said.length).toBeGreaterThanOrEqual(2);
  for (const frame of said) expect(readMac(frame, 0)).toBe(B);
});

it('a restricted guest reaches what a guest-forward offers it, and nothing else', async () => {
  const wire = await new GatewayWire({ isRestricted: true, hostAccess: 'all', allowsMetadata: true }).start();
  for (const address of [...NOBODY.filter((text) => text !== '10.0.2.4'), '192.0.2.7'])
    wire.send(...everything(GUEST, ip(address)));
  expect(wire.asked).toBe(0);
  wire.send(segmentFrame({ to: SHARE, port: 445 }), arpFrame(requestFrom(B, GUEST, SHARE)));
  expect(wire.net.streams).toHaveLength(1);
});
