import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/chance.ts';
import { Ipv4View } from '../../src/wire/ipv4.ts';
import { B, C } from '../support/frames.ts';
import { below, mutated } from '../support/noise.ts';
import { routerBench } from '../support/router-bench.ts';
import { echoRequest, ip, ipv4Frame, pattern, udpPayload } from '../support/stack-peer.ts';

const NEAR = 0x525500000001;
const HERE = ip('10.1.0.5');
const PLACES = [
  '10.2.0.5',
  '10.3.7.7',
  '10.2.0.77',
  '10.2.0.255',
  '10.1.0.1',
  '10.2.0.1',
  '192.0.2.1',
  '224.0.0.1',
].map(ip);

describe.each([1, 2, 3])('a router among packets of chance %i', (seed) => {
  const random = new SeededRandom(seed);
  const packet = () => {
    const destination = PLACES[below(random, PLACES.length)]!;
    const fields = { source: HERE, destination, toMac: NEAR, ttl: below(random, 4), dontFragment: random.next() < 0.5 };
    const payload = pattern(below(random, 3000));
    return random.next() < 0.3
      ? echoRequest(payload, fields)
      : ipv4Frame(udpPayload(1000, 53, payload, fields), fields);
  };

  it('throws nothing, sends only what is whole and fits, and loses nothing without a name', () => {
    const { near, far, scheduler } = routerBench({ mtus: [3100, 600] });
    near.introduce(B, '10.1.0.5');
    far.introduce(C, '10.2.0.5');
    const view = new Ipv4View();
    for (let round = 0; round < 200; round++) {
      near.deliver(...Array.from({ length: 1 + below(random, 20) }, () => mutated(packet(), random)));
      scheduler.advance(50);
      for (const frame of far.take()) {
        if (frame[12] !== 8 || frame[13] !== 0) continue; // ARP and IPv6
        expect(view.bind(frame, 14, frame.length)).toBeUndefined();
        expect(view.payloadEnd - view.start).toBeLessThanOrEqual(600);
        expect(view.ttl).toBeGreaterThan(0);
      }
      near.take();
    }
    near.deliver(
      ipv4Frame(udpPayload(1, 2, pattern(3), { source: HERE, destination: PLACES[0]! }), {
        source: HERE,
        destination: PLACES[0]!,
        toMac: NEAR,
      }),
    );
    expect(far.said()).toContain('10.1.0.5 > 10.2.0.5 udp 1 > 2 3 octets (to 52:54:00:00:00:03)');
    expect(near.stack.arp.owner(ip('10.1.0.5'))).toBe(B);
  });

  it('keeps packets for who never answers within its limits', () => {
    const { near, far, scheduler } = routerBench();
    near.introduce(B, '10.1.0.5');
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 3000; i++) {
      const destination = ip('10.2.0.0') + 2 + (i % 250);
      near.deliver(ipv4Frame(pattern(1400), { source: HERE, destination, toMac: NEAR }));
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
    scheduler.advance(10_000);
    const dropped = far.drops();
    expect((dropped['neighbour-unresolved'] ?? 0) + (dropped['neighbour-queue-full'] ?? 0)).toBe(3000);
    near.take();
    far.take();
  });
});
