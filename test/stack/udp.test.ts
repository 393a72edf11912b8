import { describe, expect, it } from 'vitest';
import type { UdpDatagram } from '../../src/stack/udp-layer.ts';
import type { FamilyFrameFields } from '../support/families.ts';
import { datagramOver, FAMILIES, IPV6 } from '../support/families.ts';
import { B } from '../support/frames.ts';
import { packet } from '../support/packets.ts';
import { ip, pattern, Wire } from '../support/stack-peer.ts';

describe.each(FAMILIES)('a UDP socket over $name', (family) => {
  const datagram = (port: number, payload?: Uint8Array, fields?: FamilyFrameFields) =>
    datagramOver(family, port, payload, fields);
  const ends = `${family.text(family.ours)} > ${family.text(family.peer)}`;

  it('hears who sent what to which address', () => {
    const wire = new Wire({ family });
    const heard: UdpDatagram[] = [];
    wire.stack.udp.open(7, (datagram) => heard.push(datagram));
    wire.deliver(datagram(7, pattern(3), { destination: family.extra }));
    expect(heard).toEqual([
      {
        from: { address: family.peer, port: 1000 },
        to: { address: family.extra, port: 7 },
        ttl: 64,
        dontFragment: family.name === 'IPv6',
        sourceMac: B,
        payload: pattern(3),
      },
    ]);
  });

  it('may answer inside its handler; the answers to a batch leave together', () => {
    const wire = new Wire({ family });
    wire.introducePeer();
    const socket = wire.stack.udp.open(7, ({ from, payload }) => socket.send(from, payload));
    wire.deliver(datagram(7, pattern(5)), datagram(7, pattern(6)));
    expect(wire.said()).toEqual([
      `${ends} udp 7 > 1000 5 octets (to 52:54:00:00:00:02)`,
      `${ends} udp 7 > 1000 6 octets (to 52:54:00:00:00:02)`,
    ]);
    expect(wire.pushes.at(-1)).toBe(2);
  });

  it('has its port alone', () => {
    const { udp } = new Wire({ family }).stack;
    udp.open(7, () => undefined);
    expect(() => udp.open(7, () => undefined)).toThrow('UDP port 7 is taken');
  });

  it('gives its port back when it closes, once', () => {
    const wire = new Wire({ family });
    const first = wire.stack.udp.open(7, () => undefined);
    first.close();
    let heard = 0;
    wire.stack.udp.open(7, () => heard++);
    first.close();
    wire.deliver(datagram(7));
    expect(heard).toBe(1);
  });

  it('gets a free dynamic port when it asks for port 0', () => {
    const { udp } = new Wire({ family }).stack;
    const ports = Array.from({ length: 1000 }, () => udp.open(0, () => undefined).port);
    expect(new Set(ports).size).toBe(1000);
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(49_152);
    expect(Math.max(...ports)).toBeLessThanOrEqual(65_535);
  });

  it('refuses to send what no datagram can carry', () => {
    const socket = new Wire({ family }).stack.udp.open(7, () => undefined);
    expect(() => socket.send({ address: family.peer, port: 9 }, new Uint8Array(65_528))).toThrow(RangeError);
  });

  it('that is not there is reported by ICMP', () => {
    const wire = new Wire({ family });
    wire.introducePeer();
    wire.deliver(datagram(9, pattern(3)));
    const [type, code] = family.errors.port;
    const quoted = family.headerLength + 8 + 3;
    expect(wire.said()).toEqual([`${ends} icmp ${type}/${code} ${quoted} octets (to 52:54:00:00:00:02)`]);
    expect(wire.drops()).toEqual({ 'udp-no-listener': 1 });
  });
});

it('takes a datagram that came without a checksum over IPv4, and none whose checksum is wrong', () => {
  const wire = new Wire({ isConfigured: false });
  wire.stack.configure({ interface: { address: ip('10.77.0.1'), prefixLength: 24 } });
  const heard: string[] = [];
  wire.stack.udp.open(7, ({ payload }) => heard.push(new TextDecoder().decode(payload)));
  const frame = packet('udp-no-checksum');
  frame.set([0x52, 0x54, 0, 0, 0, 1]);
  wire.deliver(frame);
  frame[41] = 1;
  wire.deliver(frame);
  expect(heard).toEqual(['nosum']);
  expect(wire.drops()).toEqual({ 'udp-bad-checksum': 1 });
});

it('takes no datagram without a checksum over IPv6 (RFC 8200, 8.1)', () => {
  const wire = new Wire({ family: IPV6 });
  let heard = 0;
  wire.stack.udp.open(7, () => heard++);
  const frame = datagramOver(IPV6, 7, pattern(3));
  wire.deliver(frame);
  frame.fill(0, 60, 62);
  wire.deliver(frame);
  expect(heard).toBe(1);
  expect(wire.drops()).toEqual({ 'udp-bad-checksum': 1 });
});
