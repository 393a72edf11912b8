import { describe, expect, it } from 'vitest';
import type { EchoRequest } from '../../src/stack/icmp-layer.ts';
import type { UnclaimedDatagram, UnclaimedVerdict } from '../../src/stack/udp-layer.ts';
import type { Family, FamilyFrameFields } from '../support/families.ts';
import { datagramOver, FAMILIES, IPV4 } from '../support/families.ts';
import { C } from '../support/frames.ts';
import {
  echoRequest,
  fragmentsOf,
  icmpBody,
  ip,
  ipv4Frame,
  OURS,
  octets,
  pattern,
  sourceOf,
  udpFrame,
  udpPayload,
  Wire,
} from '../support/stack-peer.ts';

const FAR = ip('192.0.2.7');
const TO_B = '(to 52:54:00:00:00:02)';

/** The datagrams that nobody else took, with copies of their payloads. */
function routerWire(
  verdict: UnclaimedVerdict = 'taken',
  family = IPV4,
): { wire: Wire; unclaimed: UnclaimedDatagram[] } {
  const wire = new Wire({ takesTransit: true, family });
  wire.introducePeer();
  const unclaimed: UnclaimedDatagram[] = [];
  wire.stack.udp.onUnclaimed((datagram) => {
    const { source, destination, payload } = datagram;
    unclaimed.push({ ...datagram, source: source.slice(), destination: destination.slice(), payload: payload.slice() });
    return verdict;
  });
  return { wire, unclaimed };
}

const datagramTo = (family: Family) => (port: number, payload?: Uint8Array, fields?: FamilyFrameFields) =>
  datagramOver(family, port, payload, fields);

describe.each(FAMILIES)('a datagram for an $name host off the link', (family) => {
  const to = datagramTo(family);
  const destination = family.far;

  it('is handed over with what the packet says', () => {
    const { wire, unclaimed } = routerWire('taken', family);
    wire.deliver(to(53, pattern(3), { destination, ttl: 9 }));
    expect(unclaimed).toEqual([
      {
        source: family.peer,
        sourcePort: 1000,
        destination,
        destinationPort: 53,
        isTransit: true,
        ttl: 9,
        dontFragment: family.name === 'IPv6',
        payload: pattern(3),
      },
    ]);
    expect(wire.drops()).toEqual({});
  });

  it('whose hops end here is reported by the router', () => {
    const { wire, unclaimed } = routerWire('taken', family);
    wire.deliver(to(53, pattern(3), { destination, ttl: 1 }));
    const [type, code] = family.errors.hops;
    const [error = ''] = wire.said();
    expect(error).toContain(`${family.text(family.ours)} > ${family.text(family.peer)} icmp ${type}/${code} `);
    expect(unclaimed).toEqual([]);
    expect(wire.drops()).toEqual({ [family.drops.hops]: 1 });
  });

  it.each([
    { verdict: 'port-unreachable', error: 'port', drop: 'udp-no-listener' },
    { verdict: 'prohibited', error: 'prohibited', drop: 'udp-prohibited' },
  ] as const)('that is $verdict is reported by the router', ({ verdict, error, drop }) => {
    const { wire } = routerWire(verdict, family);
    wire.deliver(to(53, pattern(3), { destination }));
    const [type, code] = family.errors[error];
    expect(wire.said()[0]).toContain(` icmp ${type}/${code} `);
    expect(wire.drops()).toEqual({ [drop]: 1 });
  });

  it('is dropped by a stack that is no router', () => {
    const wire = new Wire({ family });
    wire.deliver(to(53, pattern(3), { destination }));
    expect(wire.drops()).toEqual({ [family.drops.notLocal]: 1 });
  });
});

describe('a datagram for a host off the link', () => {
  it('is whole when it comes in fragments, in any order', () => {
    const { wire, unclaimed } = routerWire();
    const payload = udpPayload(1000, 53, pattern(3000), { destination: FAR });
    wire.deliver(...fragmentsOf(payload, 1480, { destination: FAR }).reverse());
    expect(unclaimed.map((datagram) => datagram.payload)).toEqual([pattern(3000)]);
  });

  it('whose time to live ends here is reported by the router, which quotes it', () => {
    const { wire, unclaimed } = routerWire();
    const datagram = udpFrame(33_434, pattern(10), { destination: FAR, ttl: 1 });
    wire.deliver(datagram);
    const [error] = wire.take();
    expect([...error!.slice(34, 36)]).toEqual([11, 0]);
    expect(sourceOf(error!)).toBe(OURS);
    expect(icmpBody(error!)).toEqual(datagram.slice(14));
    expect(unclaimed).toEqual([]);
    expect(wire.drops()).toEqual({ 'ipv4-ttl-exceeded': 1 });
  });

  it('is not for a listener of that port', () => {
    const { wire, unclaimed } = routerWire();
    let heard = 0;
    wire.stack.udp.open(53, () => heard++);
    wire.deliver(udpFrame(53, pattern(3), { destination: FAR }));
    expect(heard).toBe(0);
    expect(unclaimed).toHaveLength(1);
  });

  it.each([
    { what: 'a neighbour', fields: { destination: ip('10.0.0.77') } },
    { what: 'a multicast group', fields: { destination: ip('224.0.0.251') } },
    { what: 'the loopback', fields: { destination: ip('127.0.0.1') } },
    { what: 'a reserved address', fields: { destination: ip('240.0.0.1') } },
    { what: 'another host in a broadcast frame', fields: { destination: FAR, toMac: 0xffffffffffff } },
  ])('is never one for $what', ({ fields }) => {
    const { wire, unclaimed } = routerWire();
    wire.deliver(udpFrame(53, pattern(3), fields));
    expect(unclaimed).toEqual([]);
    expect(wire.said()).toEqual([]);
    expect(wire.drops()).toEqual({ 'ipv4-not-local': 1 });
  });

  it('is dropped by name in a protocol that is not spoken, and reported', () => {
    const { wire } = routerWire();
    wire.deliver(ipv4Frame(pattern(8), { protocol: 132, destination: FAR }));
    expect(wire.said()).toEqual([`10.0.0.1 > 10.0.0.2 icmp 3/2 28 octets ${TO_B}`]);
  });
});

describe.each(FAMILIES)('a datagram for an $name address of our own', (family) => {
  const to = datagramTo(family);

  it('whose port nobody listens to is handed over as no transit', () => {
    const { wire, unclaimed } = routerWire('taken', family);
    wire.deliver(to(9, pattern(3), { ttl: 1 }));
    expect(unclaimed).toMatchObject([{ destination: family.ours, destinationPort: 9, isTransit: false, ttl: 1 }]);
  });

  it('goes to the listener of its address before the one of all', () => {
    const { wire } = routerWire('taken', family);
    const heard: string[] = [];
    wire.stack.udp.open(53, () => heard.push('all'));
    const third = wire.stack.udp.open(53, () => heard.push('third'), { address: family.extra });
    wire.deliver(to(53), to(53, pattern(1), { destination: family.extra }));
    expect(heard).toEqual(['all', 'third']);
    third.close();
    wire.deliver(to(53, pattern(1), { destination: family.extra }));
    expect(heard).toEqual(['all', 'third', 'all']);
  });

  it('is unclaimed where only another address has a listener', () => {
    const { wire, unclaimed } = routerWire('taken', family);
    wire.stack.udp.open(53, () => undefined, { address: family.extra });
    wire.deliver(to(53));
    expect(unclaimed).toHaveLength(1);
  });

  it('to everybody is never unclaimed', () => {
    const { wire, unclaimed } = routerWire('taken', family);
    wire.deliver(to(9, pattern(1), { destination: family.everybody, toMac: family.everybodyMac }));
    expect(unclaimed).toEqual([]);
    expect(wire.drops()).toEqual({ 'udp-no-listener': 1 });
  });
});

describe.each(FAMILIES)('a conversation over $name', (family) => {
  const to = datagramTo(family);
  const talk = (wire: Wire, from: Uint8Array, port: number) => {
    const heard: unknown[] = [];
    const conversation = wire.stack.udp.connect(
      { address: from, port },
      { address: family.peer, port: 1000 },
      { received: (payload) => heard.push(payload.slice()), refused: () => heard.push('refused') },
    );
    return { heard, conversation: conversation! };
  };

  it('in the name of another host has the answers for itself', () => {
    const { wire, unclaimed } = routerWire('taken', family);
    const { heard, conversation } = talk(wire, family.far, 5000);
    conversation.send(pattern(4));
    expect(wire.said()).toEqual([
      `${family.text(family.far)} > ${family.text(family.peer)} udp 5000 > 1000 4 octets ${TO_B}`,
    ]);
    wire.deliver(to(5000, pattern(5), { destination: family.far }));
    expect(heard).toEqual([pattern(5)]);
    expect(unclaimed).toEqual([]);
  });

  it('does not hear anybody else', () => {
    const { wire, unclaimed } = routerWire('taken', family);
    const { heard } = talk(wire, family.far, 5000);
    wire.deliver(to(5000, pattern(5), { destination: family.far, source: family.absent }));
    expect(heard).toEqual([]);
    expect(unclaimed).toHaveLength(1);
  });

  it('from port 0 gets a free dynamic port, before which no listener goes', () => {
    const { wire } = routerWire('taken', family);
    const { heard, conversation } = talk(wire, family.ours, 0);
    const { port } = conversation.local;
    expect(port).toBeGreaterThanOrEqual(49_152);
    wire.stack.udp.open(port, () => heard.push('listener'));
    wire.deliver(to(port, pattern(2)));
    expect(heard).toEqual([pattern(2)]);
  });

  it('hears of an ICMP error about what it sent', () => {
    const { wire } = routerWire('taken', family);
    const { heard, conversation } = talk(wire, family.far, 5000);
    conversation.send(pattern(4));
    const [sent] = wire.take();
    wire.deliver(family.errorAbout(sent!, 'port', { destination: family.far }));
    expect(heard).toEqual(['refused']);
    expect(wire.drops()).toEqual({});
  });

  it('hears that nobody has the address', () => {
    const wire = new Wire({ takesTransit: true, family });
    const { heard, conversation } = talk(wire, family.ours, 0);
    conversation.send(pattern(4));
    wire.scheduler.advance(3000);
    expect(heard).toEqual(['refused']);
  });

  it('is one between two ports, until it closes', () => {
    const { wire, unclaimed } = routerWire('taken', family);
    const { conversation } = talk(wire, family.far, 5000);
    expect(talk(wire, family.far, 5000).conversation).toBeUndefined();
    conversation.close();
    wire.deliver(to(5000, pattern(5), { destination: family.far }));
    expect(unclaimed).toHaveLength(1);
    const { heard } = talk(wire, family.far, 5000);
    conversation.close();
    wire.deliver(to(5000, pattern(5), { destination: family.far }));
    expect(heard).toEqual([pattern(5)]);
  });
});

describe('an echo request for a host off the link', () => {
  it('is handed over', () => {
    const { wire } = routerWire();
    const requests: EchoRequest[] = [];
    wire.stack.icmp.onTransitEcho((request) => {
      requests.push({ ...request, payload: request.payload.slice() });
      return 'taken';
    });
    wire.deliver(echoRequest(pattern(5), { destination: FAR, ttl: 3 }));
    const from = octets('10.0.0.2');
    expect(requests).toEqual([
      { from, to: octets('192.0.2.7'), ttl: 3, identifier: 7, sequence: 9, payload: pattern(5) },
    ]);
    expect(wire.said()).toEqual([]);
  });

  it('that is prohibited is reported', () => {
    const { wire } = routerWire();
    wire.stack.icmp.onTransitEcho(() => 'prohibited');
    wire.deliver(echoRequest(pattern(5), { destination: FAR }));
    expect(wire.said()).toEqual([`10.0.0.1 > 10.0.0.2 icmp 3/13 33 octets ${TO_B}`]);
    expect(wire.drops()).toEqual({ 'icmp-prohibited': 1 });
  });

  it('is dropped by name where nobody takes it', () => {
    const { wire } = routerWire();
    wire.deliver(echoRequest(pattern(5), { destination: FAR }));
    expect(wire.drops()).toEqual({ 'ipv4-not-local': 1 });
  });

  it('is answered in the name of the host', () => {
    const { wire } = routerWire();
    const payload = pattern(6);
    wire.stack.icmp.replyEcho({
      from: octets('192.0.2.7'),
      to: octets('10.0.0.2'),
      identifier: 7,
      sequence: 9,
      payload,
    });
    expect(wire.said()).toEqual([`192.0.2.7 > 10.0.0.2 icmp 0/0 6 octets ${TO_B}`]);
  });
});

describe('a report', () => {
  const quoted = udpFrame(53, pattern(3), { destination: FAR }).slice(14);

  it('comes from the reporter, tells the MTU and quotes the packet', () => {
    const { wire } = routerWire();
    wire.stack.icmp.report({ type: 3, code: 4, mtu: 1280 }, quoted, octets('198.51.100.1'));
    const [error] = wire.take();
    expect(sourceOf(error!)).toBe(ip('198.51.100.1'));
    expect([...error!.slice(34, 36), ...error!.slice(38, 42)]).toEqual([3, 4, 0, 0, 5, 0]);
    expect(icmpBody(error!)).toEqual(quoted);
  });

  it('comes from the router where nobody else is named', () => {
    const { wire } = routerWire();
    wire.stack.icmp.report({ type: 11, code: 0, mtu: 0 }, quoted);
    expect(wire.said()).toEqual([`10.0.0.1 > 10.0.0.2 icmp 11/0 31 octets ${TO_B}`]);
  });

  it('is made at most fifty times at once and a hundred times per second', () => {
    const { wire } = routerWire();
    const report = (): void => wire.stack.icmp.report({ type: 3, code: 1, mtu: 0 }, quoted);
    for (let i = 0; i < 200; i++) report();
    expect(wire.take()).toHaveLength(50);
    wire.scheduler.advance(100);
    for (let i = 0; i < 200; i++) report();
    expect(wire.take()).toHaveLength(10);
  });
});

it('a frame for another station is nobody’s transit', () => {
  const { wire, unclaimed } = routerWire();
  wire.deliver(udpFrame(53, pattern(3), { destination: FAR, toMac: C }));
  expect(unclaimed).toEqual([]);
  expect(wire.drops()).toEqual({ 'not-for-us': 1 });
});
