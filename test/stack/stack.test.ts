import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/chance.ts';
import { LearningSwitch } from '../../src/lan/learning-switch.ts';
import type { PingResult } from '../../src/stack/pings.ts';
import { Stack } from '../../src/stack/stack.ts';
import { FakeDrops, FakePort } from '../support/fake-port.ts';
import { A, B, C, frame, taggedFrame } from '../support/frames.ts';
import { ManualScheduler } from '../support/manual-scheduler.ts';
import { ip, octets, pattern, Wire } from '../support/stack-peer.ts';

describe('a stack does not take', () => {
  it.each([
    { what: 'a frame for another station', bytes: frame(C, B), reason: 'not-for-us' },
    { what: 'a multicast frame', bytes: frame(0x01005e000001, B), reason: 'not-for-us' },
    { what: 'a tagged frame', bytes: taggedFrame(A, B, 5), reason: 'vlan-tagged' },
    { what: 'a protocol that it does not speak', bytes: frame(A, B), reason: 'unknown-ethertype' },
  ])('$what', ({ bytes, reason }) => {
    const wire = new Wire();
    wire.deliver(bytes);
    expect(wire.drops()).toEqual({ [reason]: 1 });
    expect(wire.take()).toEqual([]);
  });
});

it('sends nowhere while it is not plugged in', () => {
  const wire = new Wire();
  wire.stack.detach();
  wire.stack.arp.announce();
  expect(wire.take()).toEqual([]);
});

describe('two stacks on one switch', () => {
  function lanOfTwo(mtu = 1500): { scheduler: ManualScheduler; one: Stack; two: Stack; ear: FakePort } {
    const scheduler = new ManualScheduler();
    const lan = new LearningSwitch(scheduler, new FakeDrops());
    const ear = new FakePort();
    const [one, two] = [A, B].map((mac, i) => {
      const stack = new Stack({ mac, mtu, scheduler, random: new SeededRandom(i) });
      stack.configure({ interface: { address: ip(`10.0.0.${i + 1}`), prefixLength: 24 } });
      lan.plug(stack);
      return stack;
    });
    lan.plug(ear);
    return { scheduler, one: one!, two: two!, ear };
  }

  it.each([0, 56, 1473, 65_507])('ping each other with %i octets', (payloadLength) => {
    const { one, two } = lanOfTwo();
    const results: PingResult[] = [];
    one.ping(ip('10.0.0.2'), { payloadLength, timeout: 1000 }, (result) => results.push(result));
    two.ping(ip('10.0.0.1'), { payloadLength, timeout: 1000 }, (result) => results.push(result));
    expect(results).toEqual(Array(2).fill({ kind: 'reply', rtt: 0 }));
    expect(one.drops.toRecord()).toEqual({});
  });

  it('exchange datagrams longer than the buffer that frames are built in', () => {
    const { one, two } = lanOfTwo(576);
    const echo = two.udp.open(7, ({ from, payload }) => {
      for (let i = 0; i < 8; i++) echo.send(from, payload);
    });
    const heard: Uint8Array[] = [];
    const socket = one.udp.open(0, ({ payload }) => heard.push(payload.slice()));
    socket.send({ address: octets('10.0.0.2'), port: 7 }, pattern(60_000));
    expect(heard).toEqual(Array(8).fill(pattern(60_000)));
  });

  it('hear each other in a broadcast, and so does everybody', () => {
    const { one, two, ear } = lanOfTwo();
    let heard = 0;
    two.udp.open(7, () => heard++);
    one.udp.open(8, () => undefined).send({ address: octets('10.0.0.255'), port: 7 }, pattern(1));
    expect(heard).toBe(1);
    expect(ear.frames).toHaveLength(1);
    expect(ear.frames[0]).toHaveLength(60);
  });

  it('find each other by ARP once and then speak without being flooded', () => {
    const { one, ear } = lanOfTwo();
    for (let i = 0; i < 3; i++) one.ping(ip('10.0.0.2'), { timeout: 1000 }, () => undefined);
    expect(ear.frames).toHaveLength(1);
  });
});
