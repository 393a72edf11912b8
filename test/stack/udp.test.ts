import { describe, expect, it } from 'vitest';
import type { UdpDatagram } from '../../src/stack/udp-layer.ts';
import { B } from '../support/frames.ts';
import { packet } from '../support/packets.ts';
import { ip, octets, pattern, udpFrame, Wire } from '../support/stack-peer.ts';

describe('a UDP socket', () => {
  it('hears who sent what to which address', () => {
    const wire = new Wire();
    const heard: UdpDatagram[] = [];
    wire.stack.udp.open(7, (datagram) => heard.push(datagram));
    wire.deliver(udpFrame(7, pattern(3), { destination: ip('10.0.0.3') }));
    expect(heard).toEqual([
      {
        from: { address: octets('10.0.0.2'), port: 1000 },
        to: { address: octets('10.0.0.3'), port: 7 },
        ttl: 64,
        dontFragment: false,
        sourceMac: B,
        payload: pattern(3),
      },
    ]);
  });

  it('may answer inside its handler; the answers to a batch leave together', () => {
    const wire = new Wire();
    wire.introducePeer();
    const socket = wire.stack.udp.open(7, ({ from, payload }) => socket.send(from, payload));
    wire.deliver(udpFrame(7, pattern(5)), udpFrame(7, pattern(6)));
    expect(wire.said()).toEqual([
      '10.0.0.1 > 10.0.0.2 udp 7 > 1000 5 octets (to 52:54:00:00:00:02)',
      '10.0.0.1 > 10.0.0.2 udp 7 > 1000 6 octets (to 52:54:00:00:00:02)',
    ]);
    expect(wire.pushes).toEqual([1, 2]);
  });

  it('takes a datagram that came without a checksum, and none whose checksum is wrong', () => {
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

  it('has its port alone', () => {
    const { udp } = new Wire().stack;
    udp.open(7, () => undefined);
    expect(() => udp.open(7, () => undefined)).toThrow('UDP port 7 is taken');
  });

  it('gives its port back when it closes, once', () => {
    const wire = new Wire();
    const first = wire.stack.udp.open(7, () => undefined);
    first.close();
    let heard = 0;
    wire.stack.udp.open(7, () => heard++);
    first.close();
    wire.deliver(udpFrame(7));
    expect(heard).toBe(1);
  });

  it('gets a free dynamic port when it asks for port 0', () => {
    const { udp } = new Wire().stack;
    const ports = Array.from({ length: 1000 }, () => udp.open(0, () => undefined).port);
    expect(new Set(ports).size).toBe(1000);
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(49_152);
    expect(Math.max(...ports)).toBeLessThanOrEqual(65_535);
  });

  it('refuses to send what no datagram can carry', () => {
    const socket = new Wire().stack.udp.open(7, () => undefined);
    expect(() => socket.send({ address: octets('10.0.0.2'), port: 9 }, new Uint8Array(65_508))).toThrow(RangeError);
  });
});
