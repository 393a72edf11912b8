import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/chance.ts';
import { batchOf, sliceOf } from '../../src/link/frame-batch.ts';
import { Router } from '../../src/router/router.ts';
import { Stack } from '../../src/stack/stack.ts';
import type { Ipv6Interface } from '../../src/wire/ipv6-address.ts';
import { parseIpv6Interface } from '../../src/wire/ipv6-text.ts';
import type { Mac } from '../../src/wire/mac.ts';
import { B, C } from '../support/frames.ts';
import { icmpv6Frame, ip6, ipv6Frame, ndpFrame, type Packet6Fields, tell6, udp6Payload } from '../support/ipv6-peer.ts';
import { ManualScheduler } from '../support/manual-scheduler.ts';
import { pattern } from '../support/stack-peer.ts';

const HERE = ip6('fd00:1::5');
const THERE = ip6('fd00:2::5');
const TO_B = '(to 52:54:00:00:00:02)';
const TO_C = '(to 52:54:00:00:00:03)';
const NEAR: Mac = 0x525500000001;

/** One link of a router under test: what the router says there is kept, what the test says there comes in. */
class Link6 {
  readonly stack: Stack;
  readonly interface: Ipv6Interface;
  readonly pushes: number[] = [];
  #heard: Uint8Array[] = [];

  constructor(scheduler: ManualScheduler, mac: Mac, own: string, mtu = 1500, takesTransit = false) {
    this.interface = parseIpv6Interface(own)!;
    this.stack = new Stack({ mac, mtu, scheduler, random: new SeededRandom(mac), takesTransit });
    this.stack.configure({ ipv6: { interface: this.interface } });
    this.stack.attach({
      push: (batch, first, end) => {
        this.pushes.push(end - first);
        for (let i = first; i < end; i++) this.#heard.push(sliceOf(batch, i));
      },
    });
  }

  deliver(...frames: readonly Uint8Array[]): void {
    this.stack.push(batchOf(frames), 0, frames.length);
  }

  /** A machine of the link says where it is. */
  introduce(mac: Mac, source: Uint8Array): void {
    const message = { kind: 'neighbour-solicitation', target: this.interface.address, sourceMac: mac } as const;
    const fields = { source, destination: this.interface.address, fromMac: mac, toMac: this.stack.mac };
    this.deliver(ndpFrame(message, fields));
    this.take();
  }

  take(): Uint8Array[] {
    const heard = this.#heard;
    this.#heard = [];
    this.pushes.length = 0;
    return heard;
  }

  said(): string[] {
    return this.take().map(tell6);
  }
}

/** A router on fd00:1::/64 and fd00:2::/64, where it is ::1, and fd00:3::/48 behind fd00:2::9. B is here, C there. */
function bench({ mtu = 1500, takesTransit = false, routes = [{ to: 'fd00:3::/48', via: 'fd00:2::9' }] } = {}) {
  const scheduler = new ManualScheduler();
  const near = new Link6(scheduler, NEAR, 'fd00:1::1/64', 1500, takesTransit);
  const far = new Link6(scheduler, 0x525500000002, 'fd00:2::1/64', mtu);
  const planned = routes.map(({ to, via }) => ({ to: parseIpv6Interface(to)!, via: ip6(via) }));
  const interfaces = [near, far].map(({ stack, interface: own }) => ({ stack, ipv6: { interface: own } }));
  new Router().configure(interfaces, [], planned);
  scheduler.advance(1000);
  near.introduce(B, HERE);
  far.introduce(C, THERE);
  far.introduce(C, ip6('fd00:2::9'));
  return { scheduler, near, far };
}

/** A packet from B, fd00:1::5. */
function packet(destination: Uint8Array, fields: Packet6Fields = {}, length = 20): Uint8Array {
  const header = { source: HERE, destination, fromMac: B, toMac: NEAR, hopLimit: 64, nextHeader: 17, ...fields };
  return ipv6Frame(pattern(length), header);
}

describe('an IPv6 packet for another network', () => {
  it('leaves with new link addresses and one hop less, and otherwise as it came', () => {
    const { near, far } = bench();
    const sent = packet(THERE, { nextHeader: 60, hopLimit: 9 });
    near.deliver(sent);
    const [got] = far.take();
    sent.set([0x52, 0x54, 0, 0, 0, 3, 0x52, 0x55, 0, 0, 0, 2]);
    sent[21] = 8;
    expect(got).toEqual(sent);
    expect(near.stack.drops.toRecord()).toEqual({});
  });

  it('goes by the router that leads there, and by the longest prefix', () => {
    const routes = [
      { to: '::/0', via: 'fd00:1::5' },
      { to: 'fd00:3::/48', via: 'fd00:2::9' },
    ];
    const { near, far } = bench({ routes });
    near.deliver(packet(ip6('fd00:3::7')), packet(ip6('2001:db8::7')));
    expect(far.said()).toEqual([`fd00:1::5 > fd00:3::7 next header 17 20 octets ${TO_C}`]);
    expect(near.said()).toEqual([`fd00:1::5 > 2001:db8::7 next header 17 20 octets ${TO_B}`]);
  });

  it('leaves with its neighbours in one push', () => {
    const { near, far } = bench();
    near.deliver(packet(THERE), packet(THERE, {}, 21), packet(THERE, {}, 22));
    expect(far.pushes).toEqual([3]);
  });

  it('waits for its next hop, and its sender hears where nobody is there', () => {
    const { scheduler, near, far } = bench();
    near.deliver(packet(ip6('fd00:2::77')));
    expect(far.said()).toEqual(['fd00:2::1 > ff02::1:ff00:77 who has fd00:2::77 (to 33:33:ff:00:00:77)']);
    scheduler.advance(3000);
    expect(near.said()).toEqual([`fd00:1::1 > fd00:1::5 icmpv6 1/3 0 ${TO_B}`]);
  });

  it.each([
    { what: 'has no hops left', fields: { hopLimit: 1 }, says: '3/0 0', reason: 'ipv6-hop-limit-exceeded' },
    { what: 'has nowhere to go', destination: 'fd00:9::1', says: '1/0 0', reason: 'ipv6-no-route' },
    {
      what: 'is from a link-local address',
      fields: { source: ip6('fe80::5') },
      says: '1/2 0',
      reason: 'ipv6-link-local',
    },
    { what: 'is longer than the next link takes', length: 1261, says: '2/0 1300', reason: 'ipv6-too-long' },
  ])('that $what is dropped, and its sender told', ({ destination = 'fd00:2::5', fields, length, says, reason }) => {
    const { near, far } = bench({ mtu: 1300 });
    near.introduce(B, ip6('fe80::5'));
    near.deliver(packet(ip6(destination), fields, length));
    expect(far.take()).toEqual([]);
    expect(near.said()).toEqual([expect.stringContaining(`icmpv6 ${says} ${TO_B}`)]);
    expect(near.stack.drops.toRecord()).toEqual({ [reason]: 1 });
  });

  it('that is a fragment as long as the next link takes passes', () => {
    const { near, far } = bench({ mtu: 1300 });
    near.deliver(packet(THERE, { nextHeader: 44 }, 1260));
    expect(far.take()).toHaveLength(1);
  });

  it.each(['fe80::77', 'ff0e::1', 'ff02::1', '::1', '::'])('never goes to %s', (destination) => {
    const { near, far } = bench({ routes: [{ to: '::/0', via: 'fd00:2::9' }] });
    near.deliver(packet(ip6(destination)));
    expect(far.take()).toEqual([]);
  });

  it('that no route leads to is left to who takes transit, also where a default route does', () => {
    const { near, far } = bench({ takesTransit: true, routes: [{ to: '::/0', via: 'fd00:2::9' }] });
    const heard: string[] = [];
    near.stack.icmp.onTransitEcho(({ ttl }) => {
      heard.push(`hops ${ttl}`);
      return 'taken';
    });
    const echo = Uint8Array.of(128, 0, 0, 0, 0, 7, 0, 9);
    near.deliver(icmpv6Frame(echo, { source: HERE, destination: ip6('2001:db8::7'), toMac: NEAR, hopLimit: 64 }));
    near.deliver(packet(THERE));
    expect(heard).toEqual(['hops 64']);
    expect(far.take()).toHaveLength(1);
  });
});

describe('an IPv6 router itself', () => {
  it('answers at each of its addresses, on whatever link', () => {
    const { near } = bench();
    const echo = Uint8Array.of(128, 0, 0, 0, 0, 7, 0, 9);
    for (const own of ['fd00:1::1', 'fd00:2::1'])
      near.deliver(icmpv6Frame(echo, { source: HERE, destination: ip6(own), fromMac: B, toMac: NEAR }));
    expect(near.said()).toEqual(
      ['fd00:1::1', 'fd00:2::1'].map((own) => `${own} > fd00:1::5 icmpv6 129 0 octets ${TO_B}`),
    );
  });

  it('reaches from one interface what is on the link of another', () => {
    const { near, far } = bench();
    near.stack.ping(THERE, { timeout: 1000, payloadLength: 4 }, () => undefined);
    expect(far.said()).toEqual([`fd00:1::1 > fd00:2::5 icmpv6 128 4 octets ${TO_C}`]);
    expect([THERE, ip6('fd00:3::1'), ip6('2001:db8::1')].map((to) => near.stack.isInside(to))).toEqual([
      true,
      true,
      false,
    ]);
    expect(near.stack.leadsTo(THERE)).toBe(false);
  });
});

describe('traceroute through two routers', () => {
  it('names each of them and the host', () => {
    const scheduler = new ManualScheduler();
    const link = new Link6(scheduler, NEAR, 'fd00:1::1/64');
    const stack = (mac: Mac, address: string, defaultRoute?: string) => {
      const made = new Stack({ mac, mtu: 1500, scheduler, random: new SeededRandom(mac) });
      const route = defaultRoute === undefined ? undefined : ip6(defaultRoute);
      made.configure({ ipv6: { interface: parseIpv6Interface(address)!, defaultRoute: route } });
      return made;
    };
    const [middleA, middleB] = [stack(2, 'fd00:2::1/64'), stack(4, 'fd00:2::2/64')];
    const [lastRouter, host] = [stack(6, 'fd00:3::1/64'), stack(8, 'fd00:3::5/64', 'fd00:3::1')];
    for (const [one, other] of [
      [middleA, middleB],
      [lastRouter, host],
    ] as const) {
      one.attach(other);
      other.attach(one);
    }
    const route = (to: string, via: string) => ({ to: parseIpv6Interface(to)!, via: ip6(via) });
    const at = (of: Stack) => ({ stack: of, ipv6: { interface: of.ipv6Interface! } });
    new Router().configure([at(link.stack), at(middleA)], [], [route('fd00:3::/64', 'fd00:2::2')]);
    new Router().configure([at(middleB), at(lastRouter)], [], [route('fd00:1::/64', 'fd00:2::1')]);
    scheduler.advance(1000);
    link.introduce(B, HERE);

    const target = ip6('fd00:3::5');
    const fields = { source: HERE, destination: target, fromMac: B, toMac: NEAR, nextHeader: 17 };
    const answers = [1, 2, 3].flatMap((hopLimit) => {
      link.deliver(ipv6Frame(udp6Payload(33434, pattern(20), target, HERE), { ...fields, hopLimit }));
      scheduler.advance(10);
      return link.said();
    });
    expect(answers).toEqual([
      `fd00:1::1 > fd00:1::5 icmpv6 3/0 0 ${TO_B}`,
      `fd00:2::2 > fd00:1::5 icmpv6 3/0 0 ${TO_B}`,
      `fd00:3::5 > fd00:1::5 icmpv6 1/4 0 ${TO_B}`,
    ]);
  });
});
