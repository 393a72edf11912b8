import { describe, expect, it } from 'vitest';
import { Ipv4View, PROTOCOL_ICMP } from '../../src/wire/ipv4.ts';
import { formatMac, readMac } from '../../src/wire/mac.ts';
import { B, C } from '../support/frames.ts';
import { routerBench } from '../support/router-bench.ts';
import {
  arpFrame,
  fragmentsOf,
  icmpBody,
  icmpPayload,
  ip,
  ipv4Frame,
  octets,
  pattern,
  sourceOf,
  tell,
  udpPayload,
} from '../support/stack-peer.ts';

const NEAR = 0x525500000001;
const FAR = 0x525500000002;
const HERE = ip('10.1.0.5');
const THERE = ip('10.2.0.5');
const BEYOND = ip('10.3.7.7');
const TO_B = '(to 52:54:00:00:00:02)';
const TO_C = '(to 52:54:00:00:00:03)';

type Fields = Parameters<typeof ipv4Frame>[1];

/** A datagram from B, 10.1.0.5, to `destination`. */
function datagram(destination: number, length = 3, fields: Fields = {}): Uint8Array {
  const payload = udpPayload(1000, 53, pattern(length), { source: HERE, destination });
  return ipv4Frame(payload, { source: HERE, destination, toMac: NEAR, ...fields });
}

/** B and 10.1.0.5 are known near, C and 10.2.0.5 as well as 10.2.0.9 far. */
function acquainted(options: Parameters<typeof routerBench>[0] = {}) {
  const bench = routerBench(options);
  bench.near.introduce(B, '10.1.0.5');
  bench.far.introduce(C, '10.2.0.5');
  bench.far.introduce(C, '10.2.0.9');
  return bench;
}

function headerOf(frame: Uint8Array): Ipv4View {
  const view = new Ipv4View();
  expect(view.bind(frame, 14, frame.length)).toBeUndefined();
  return view;
}

describe('a packet for another network', () => {
  it('leaves with new link addresses and one hop less to live, and otherwise as it came', () => {
    const { near, far } = acquainted();
    const sent = datagram(THERE, 100, { ttl: 9, dontFragment: true });
    near.deliver(sent);
    const [got] = far.take();
    expect([formatMac(readMac(got!, 0)), formatMac(readMac(got!, 6))]).toEqual([formatMac(C), formatMac(FAR)]);
    expect(headerOf(got!).ttl).toBe(8);
    expect(got!.slice(26)).toEqual(sent.slice(26));
    expect(near.drops()).toEqual({});
  });

  it.each(Array.from({ length: 8 }, (_, i) => 0x10000 - 0x180 + i * 0x60))(
    'has a right checksum after TTL and checksum changed (identification %i)',
    (identification) => {
      const { near, far } = acquainted();
      near.deliver(datagram(THERE, 3, { identification }));
      expect(far.take().map((frame) => headerOf(frame).ttl)).toEqual([63]);
    },
  );

  it('goes by the router that leads there', () => {
    const { near, far } = acquainted();
    near.deliver(datagram(BEYOND));
    expect(far.said()).toEqual([`10.1.0.5 > 10.3.7.7 udp 1000 > 53 3 octets ${TO_C}`]);
  });

  it('may leave by the interface that it came in by', () => {
    const { near } = acquainted({ routes: [{ to: '10.3.0.0/16', via: '10.1.0.5' }] });
    near.deliver(datagram(BEYOND));
    expect(near.said()).toEqual([`10.1.0.5 > 10.3.7.7 udp 1000 > 53 3 octets ${TO_B}`]);
  });

  it('leaves with its neighbours as one run', () => {
    const { near, far } = acquainted();
    near.deliver(...Array.from({ length: 50 }, (_, i) => datagram(i % 2 === 0 ? THERE : BEYOND)));
    expect(far.pushes).toEqual([50]);
  });

  it('keeps its place among those for others', () => {
    const { near, far } = acquainted();
    near.deliver(
      datagram(THERE, 1),
      datagram(ip('192.0.2.1')),
      datagram(THERE, 2),
      datagram(BEYOND, 3),
      datagram(THERE, 4),
    );
    expect(far.said().map((text) => / (\d) octets/.exec(text)?.[1])).toEqual(['1', '2', '3', '4']);
  });

  it('waits until its next hop is known', () => {
    const { near, far } = routerBench();
    near.introduce(B, '10.1.0.5');
    near.deliver(datagram(THERE, 1), datagram(THERE, 2));
    expect(far.said()).toEqual(['who has 10.2.0.5, tell 10.2.0.1 (to ff:ff:ff:ff:ff:ff)']);
    far.deliver(
      arpFrame(
        { operation: 'reply', senderMac: C, senderAddress: THERE, targetMac: FAR, targetAddress: ip('10.2.0.1') },
        FAR,
      ),
    );
    expect(far.said()).toEqual([
      `10.1.0.5 > 10.2.0.5 udp 1000 > 53 1 octets ${TO_C}`,
      `10.1.0.5 > 10.2.0.5 udp 1000 > 53 2 octets ${TO_C}`,
    ]);
  });
});

describe('the sender hears, from the interface that its packet came in by,', () => {
  it.each([
    {
      what: 'that its time to live was exceeded',
      frame: datagram(THERE, 3, { ttl: 1 }),
      icmp: '11/0',
      drop: 'ipv4-ttl-exceeded',
    },
    { what: 'that no route leads there', frame: datagram(ip('192.0.2.1')), icmp: '3/0', drop: 'ipv4-no-route' },
    {
      what: 'that it is too long',
      frame: datagram(THERE, 1400, { dontFragment: true }),
      icmp: '3/4',
      drop: 'ipv4-too-long',
    },
  ])('$what', ({ frame, icmp, drop }) => {
    const { near, far } = acquainted({ mtus: [1500, 1400] });
    near.deliver(frame);
    const [error] = near.take();
    expect(tell(error!)).toContain(`10.1.0.1 > 10.1.0.5 icmp ${icmp}`);
    expect(icmpBody(error!)).toEqual(frame.slice(14, 14 + 548));
    expect(near.drops()).toEqual({ [drop]: 1 });
    expect(far.take()).toEqual([]);
  });

  it('how long a packet may be', () => {
    const { near } = acquainted({ mtus: [1500, 1400] });
    near.deliver(datagram(THERE, 1400, { dontFragment: true }));
    expect([...near.take()[0]!.slice(38, 42)]).toEqual([0, 0, 5, 0x78]);
  });

  it('that nobody has the next hop', () => {
    const { near, scheduler } = acquainted();
    near.deliver(datagram(ip('10.2.0.77')));
    scheduler.advance(5000);
    expect(near.said()).toEqual([`10.1.0.1 > 10.1.0.5 icmp 3/1 31 octets ${TO_B}`]);
  });

  it('at most a hundred times a second, after fifty at once', () => {
    const { near } = acquainted();
    near.deliver(...Array.from({ length: 200 }, () => datagram(THERE, 3, { ttl: 1 })));
    expect(near.take()).toHaveLength(50);
  });
});

describe('nobody hears of', () => {
  it.each([
    {
      what: 'a broadcast on another network',
      fields: { destination: ip('10.2.0.255') },
      drop: 'ipv4-directed-broadcast',
    },
    { what: 'the obsolete form of one', fields: { destination: ip('10.2.0.0') }, drop: 'ipv4-directed-broadcast' },
    { what: 'a link-local destination', fields: { destination: ip('169.254.1.1') }, drop: 'ipv4-link-local' },
    { what: 'a link-local source', fields: { source: ip('169.254.1.1') }, drop: 'ipv4-link-local' },
    { what: 'a loopback source', fields: { source: ip('127.0.0.1') }, drop: 'ipv4-bad-source' },
    { what: "the router's own source", fields: { source: ip('10.2.0.1') }, drop: 'ipv4-bad-source' },
    { what: 'a source that is everybody', fields: { source: ip('10.2.0.255') }, drop: 'ipv4-bad-source' },
    { what: 'a multicast source', fields: { source: ip('224.0.0.1') }, drop: 'ipv4-bad-source' },
    { what: 'the loopback', fields: { destination: ip('127.0.0.1') }, drop: 'ipv4-not-local' },
    { what: 'a multicast group', fields: { destination: ip('224.0.0.251') }, drop: 'ipv4-not-local' },
    { what: 'a reserved address', fields: { destination: ip('240.0.0.1') }, drop: 'ipv4-not-local' },
    { what: 'a packet in a broadcast frame', fields: { toMac: 0xffffffffffff }, drop: 'ipv4-not-local' },
  ])('$what, which is dropped as $drop', ({ fields, drop }) => {
    const { near, far } = acquainted({ routes: [{ to: '0.0.0.0/0', via: '10.2.0.9' }] });
    near.deliver(datagram(THERE, 3, fields));
    expect([near.take(), far.take()]).toEqual([[], []]);
    expect(near.drops()).toEqual({ [drop]: 1 });
  });

  it.each([
    { what: 'an error that cannot be delivered', payload: icmpPayload(3, 1, pattern(28)), fields: {} },
    { what: 'a later fragment', payload: icmpPayload(8, 0, pattern(28)), fields: { fragmentOffset: 800 } },
  ])('$what', ({ payload, fields }) => {
    const { near } = acquainted();
    near.deliver(
      datagram(THERE, 3),
      ipv4Frame(payload, {
        source: HERE,
        destination: ip('192.0.2.1'),
        toMac: NEAR,
        protocol: PROTOCOL_ICMP,
        ...fields,
      }),
    );
    expect(near.take()).toEqual([]);
    expect(near.drops()).toEqual({ 'ipv4-no-route': 1 });
  });
});

describe("the router's own addresses", () => {
  it.each(['10.1.0.1', '10.2.0.1'])('answer ping from any side: %s', (address) => {
    const { near } = acquainted();
    const echo = { source: HERE, destination: ip(address), protocol: PROTOCOL_ICMP, toMac: NEAR };
    near.deliver(ipv4Frame(icmpPayload(8, 0, pattern(8), 7, 9), echo));
    expect(near.said()).toEqual([`${address} > 10.1.0.5 icmp 0/0 8 octets ${TO_B}`]);
  });

  it('say that nobody listens, which ends a traceroute', () => {
    const { near } = acquainted();
    near.deliver(datagram(ip('10.2.0.1'), 3, { ttl: 1 }));
    expect(near.said()).toEqual([`10.2.0.1 > 10.1.0.5 icmp 3/3 31 octets ${TO_B}`]);
  });

  it('answer ARP on their own link only', () => {
    const { near } = acquainted();
    const asks = (target: string) =>
      arpFrame({ operation: 'request', senderMac: B, senderAddress: HERE, targetMac: 0, targetAddress: ip(target) });
    near.deliver(asks('10.2.0.1'));
    expect(near.take()).toEqual([]);
    near.deliver(asks('10.1.0.1'));
    expect(near.said()).toHaveLength(1);
  });

  it('answer who is reached by another interface than asked', () => {
    const { near, far } = acquainted();
    const echo = { source: THERE, destination: ip('10.1.0.1'), protocol: PROTOCOL_ICMP, toMac: NEAR };
    near.deliver(ipv4Frame(icmpPayload(8, 0, pattern(8), 7, 9), echo));
    expect(far.said()).toEqual([`10.1.0.1 > 10.2.0.5 icmp 0/0 8 octets ${TO_C}`]);
  });
});

describe('a packet that is longer than the next network takes', () => {
  it('is cut into fragments that make it whole again', () => {
    const { near, far } = acquainted({ mtus: [9000, 1500] });
    near.deliver(datagram(THERE, 4000, { identification: 77 }));
    const fragments = far.take();
    expect(fragments.map(tell)).toEqual([
      `10.1.0.5 > 10.2.0.5 fragment 0+1480 more ${TO_C}`,
      `10.1.0.5 > 10.2.0.5 fragment 1480+1480 more ${TO_C}`,
      `10.1.0.5 > 10.2.0.5 fragment 2960+1048 ${TO_C}`,
    ]);
    expect(fragments.map((frame) => headerOf(frame).identification)).toEqual([77, 77, 77]);
    expect(Buffer.concat(fragments.map((frame) => frame.slice(34)))).toEqual(
      Buffer.from(datagram(THERE, 4000).slice(34)),
    );
  });

  it('may be a fragment itself', () => {
    const { near, far } = acquainted({ mtus: [1500, 800] });
    const payload = udpPayload(1000, 53, pattern(2000), { source: HERE, destination: THERE });
    near.deliver(...fragmentsOf(payload, 1200, { source: HERE, destination: THERE, toMac: NEAR }));
    expect(far.said().map((text) => /fragment (\S+( more)?)/.exec(text)?.[1])).toEqual([
      '0+776 more',
      '776+424 more',
      '1200+776 more',
      '1976+32',
    ]);
  });
});

describe('options of a packet', () => {
  /** A datagram whose header has these octets behind it. */
  const withOptions = (options: readonly number[], length = 3) => {
    const frame = datagram(THERE, length);
    const longer = new Uint8Array(frame.length + options.length);
    longer.set(frame.subarray(0, 34));
    longer.set(options, 34);
    longer.set(frame.subarray(34), 34 + options.length);
    longer[14] = 0x45 + options.length / 4;
    const total = longer.length - 14;
    longer.set([total >> 8, total & 255], 16);
    longer.set([0, 0], 24);
    let sum = 0;
    for (let at = 14; at < 34 + options.length; at += 2) sum += longer[at]! * 256 + longer[at + 1]!;
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
    longer.set([sum >> 8, sum & 255], 24);
    return longer;
  };

  it('pass untouched', () => {
    const { near, far } = acquainted();
    near.deliver(withOptions([148, 4, 0, 0]));
    expect([...far.take()[0]!.slice(34, 38)]).toEqual([148, 4, 0, 0]);
  });

  it.each([131, 137])('that name its way (%i) are refused', (type) => {
    const { near, far } = acquainted();
    near.deliver(withOptions([1, type, 7, 4, 10, 2, 0, 9]));
    expect([far.take(), near.drops()]).toEqual([[], { 'ipv4-source-route': 1 }]);
  });

  it('are in later fragments where they are meant to be', () => {
    const { near, far } = acquainted({ mtus: [1500, 600] });
    near.deliver(withOptions([148, 4, 0, 0, 7, 3, 4, 0], 1000));
    expect(far.take().map((frame) => [headerOf(frame).headerLength, headerOf(frame).fragmentOffset])).toEqual([
      [28, 0],
      [24, 568],
    ]);
  });
});

describe('an interface with a way out of its own', () => {
  it('takes by it what no route but a default one leads to', () => {
    const { near, far } = acquainted({ takesTransit: true, routes: [{ to: '0.0.0.0/0', via: '10.2.0.9' }] });
    const taken: Uint8Array[] = [];
    near.stack.udp.onUnclaimed(({ destination }) => {
      taken.push(destination.slice());
      return 'taken';
    });
    near.deliver(datagram(ip('192.0.2.1')), datagram(THERE));
    expect(taken).toEqual([octets('192.0.2.1')]);
    expect(far.said()).toHaveLength(1);
  });

  it('knows who is reached by its link, and what is inside', () => {
    const { near, far } = acquainted({ takesTransit: true, routes: [{ to: '10.9.0.0/24', via: '10.1.0.5' }] });
    const of = (address: string) =>
      [near, far].map(({ stack }) => [stack.leadsTo(octets(address)), stack.isInside(octets(address))]);
    expect(of('10.9.0.7')).toEqual([
      [true, true],
      [false, true],
    ]);
    expect(of('10.2.0.7')).toEqual([
      [false, true],
      [true, true],
    ]);
    expect(of('192.0.2.1')).toEqual([
      [false, false],
      [false, false],
    ]);
  });

  it('reaches hosts behind the routers of its link with packets of its own', () => {
    const { near } = acquainted({ takesTransit: true, routes: [{ to: '10.9.0.0/24', via: '10.1.0.5' }] });
    near.stack.ping(ip('10.9.0.7'), { timeout: 1000 }, () => undefined);
    expect(near.said()).toEqual([`10.1.0.1 > 10.9.0.7 icmp 8/0 56 octets ${TO_B}`]);
  });
});

it('a source that is far is answered where routes lead, not where a packet came in', () => {
  const { near, far } = acquainted();
  near.deliver(datagram(ip('192.0.2.1'), 3, { source: THERE }));
  const [error] = far.take();
  expect(sourceOf(error!)).toBe(ip('10.1.0.1'));
});
